"""Who posts as often as it can counts what it was answered, and the report tells ratios."""

import asyncio
from collections import Counter

from aiohttp import web
from aiohttp.test_utils import TestServer

from simulation.lateness import Delays
from simulation.load import Answers, Found, Turn, post, report

DELAYS = Delays(median=0.2, high=1.5, highest=30, blocked=2)


def answers(count: int, status: int = 200) -> Answers:
    return Answers(statuses=Counter({status: count}), seconds=2.0, waits_s=[0.001 * number for number in range(count)])


async def test_posts_are_sent_on_several_connections_and_their_answers_counted(socket_enabled: None) -> None:
    seen: list[object] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(await request.json())
        return web.json_response({}, status=429 if len(seen) % 2 else 200)

    app = web.Application()
    app.router.add_post("/a", take)
    async with TestServer(app) as server:
        assert server.port is not None
        bodies = ['{"amps": 1}', '{"amps": 2}']
        found = await asyncio.to_thread(post, server.port, ["/a"], bodies, seconds=0.3, connections=3, depth=5)
    assert set(found.statuses) == {200, 429}
    assert found.statuses.total() == len(found.waits_s) <= len(seen)
    assert found.seconds >= 0.3
    assert {"amps": 1} in seen
    assert {"amps": 2} in seen


def test_the_report_holds_a_site_against_a_webhook_that_does_nothing() -> None:
    found = Found(
        early_s=[0.0002] * 10,
        late_s=[0.0003] * 10,
        turns=[
            (Turn(answers=answers(2000), cpu_s=0.2), Turn(answers=answers(count), cpu_s=0.001 * count))
            for count in (100, 500, 600)
        ],
        alone=answers(100),
        flooded=answers(100),
        flood=answers(100, 429),
        flood_delays=DELAYS,
        sites=50,
        accepted=3000,
        cpu=0.25,
        delays=DELAYS,
        machine=(1.5, 2.5),
    )
    told = report(found)
    assert "0.20 ms (median 0.20); after ten minutes 0.30 ms" in told
    assert "250 posts a second, 25.0% of the 1,000" in told
    assert "in 3 turns 5.0% to 30.0%" in told
    assert "1.00 ms a post, 0.10 ms where nothing is done: 10.0%" in told
    assert "a load of 1.5 at the beginning and 2.5 at the end" in told
    assert "50 sites with a car each, once a second: 3,000 posts accepted" in told
    assert "25.0% of one core" in told
