"""What the card shows, read second by second beside the truth of the simulated house.

For ten minutes at the speed of a real house: `AMP_SENSOR_LOOK_S=600 AMP_SENSOR_LOOK_SPEED=1`.
"""

import asyncio
from collections.abc import Iterator
import os
import re
import time
from typing import Final

import numpy as np
from playwright.async_api import Page, expect

from simulation.demo import BUDGET_A, Household, Summary, parse, run
from simulation.plant import NORMAL
from simulation.tessie_server import TessieServer

from .person import chromium, sit_down

LOOK_S: Final = float(os.environ.get("AMP_SENSOR_LOOK_S", "60"))
"""How long to look, s."""
SPEED: Final = os.environ.get("AMP_SENSOR_LOOK_SPEED", "6")
"""How fast the house is: six times as fast as it was, it lowers the car within a minute whenever one begins to look."""
SETTLED_S: Final = 60.0
"""How long the demo goes on beside that, at the most: for the browser's first page."""
ERROR_A: Final = 0.5
"""At most so far from the truth, 95 looks of 100, beside what the sensor's noise explains."""
NOISES: Final = 2.0
"""Of that, two standard deviations: 95 readings of 100 are within."""
SOON_S: Final = 2.0
"""Within this a cut is told: a look each second, on two cores that run Home Assistant and a browser as well."""

READ: Final = """card => {
  const texts = selector => [...card.shadowRoot.querySelectorAll(selector)].map(element => element.textContent);
  return {
    sentence: texts(".sentence p").join(" "),
    total: texts(".gauge-label .amps"),
    free: texts(".gauge-label .rest"),
    parts: texts(".nodes .node:not(.grid) .amps"),
  };
}"""


def _number(text: str) -> float:
    found = re.search(r"[−-]?\d+(?:\.\d+)?", text)
    assert found is not None, text
    return float(found[0].replace("−", "-"))


class Look:
    """What is on the card at one moment, and what was true then."""

    def __init__(self, shown: dict[str, list[str]], household: Household) -> None:
        self.at = time.time()
        self.sentence = str(shown["sentence"]).replace("\xa0", " ")
        self.total = _number(shown["total"][0])
        (rest,) = shown["free"]
        self.free = _number(rest) * (-1 if "▲" in rest else 1)
        self.house, *self.cars = map(_number, shown["parts"])
        self.true_total = household.totals[0]
        self.true_house = household.house_amps[0]

    def off_amps(self, shown: float, true: float) -> float:
        """Return by how much a number is off beyond what the sensor's noise explains."""
        return max(0.0, abs(shown - true) - NOISES * NORMAL.noise * abs(self.true_total))

    @property
    def agrees(self) -> bool:
        """Whether the parts make up the whole, and the whole and what is left the budget; in the sentence too."""
        begin = re.match(r"([\d.]+) A (of|over)", self.sentence)
        told = begin is not None and float(begin[1]) == abs(self.free)
        return (
            told
            and round(self.house + sum(self.cars) - self.total, 6) == round(self.total + self.free - BUDGET_A, 6) == 0
        )


class Onlooker:
    """Somebody who reads the card once a second."""

    def __init__(self) -> None:
        self.looks: list[Look] = []

    async def look(self, household: Household, tessie: TessieServer, url: str) -> None:
        """Open the demo's page, and read until it ends."""
        self.tessie = tessie
        async with chromium() as browser:
            person = await sit_down(browser, url, size="desktop", scheme="light")
            await person.go("/amp-sensor")
            await self._read(person.page, household)

    async def _read(self, page: Page, household: Household) -> None:
        card = page.locator("amp-sensor-card")
        await expect(card.locator(".gauge-label .amps")).to_be_visible()
        until = time.monotonic() + LOOK_S
        while time.monotonic() < until:
            self.looks.append(Look(await card.evaluate(READ), household))
            await asyncio.sleep(1)

    def cuts(self) -> Iterator[tuple[float, int]]:
        """Tell when the cloud got a lower current than before while somebody looked, and which."""
        before = 16
        for received in self.tessie.counters.received:
            if received.amps is not None:
                if received.amps < before and self.looks[0].at <= received.at <= self.looks[-1].at - SOON_S:
                    yield received.at, received.amps
                before = received.amps


def test_what_the_card_shows_is_what_is() -> None:
    onlooker, summary = Onlooker(), Summary()
    seconds = str(LOOK_S + SETTLED_S)
    asyncio.run(run(parse(["--headless", "--speed", SPEED, "--seconds", seconds]), summary, onlooker.look))
    assert summary.ok
    looks = onlooker.looks
    assert len(looks) > LOOK_S / 2
    assert [look.sentence for look in looks if not look.agrees] == []
    totals = np.percentile([look.off_amps(look.total, look.true_total) for look in looks], 95)
    houses = np.percentile([look.off_amps(look.house, look.true_house) for look in looks], 95)
    print(f"95 of 100 of {len(looks)} looks: current within {totals:.2f} A of the truth, house {houses:.2f} A")
    assert totals <= ERROR_A
    assert houses <= ERROR_A * float(SPEED), (
        "its part is known once the car has moved, which takes as long at any speed"
    )
    cuts = list(onlooker.cuts())
    assert cuts
    for at, amps in cuts:
        told = next((look.at for look in looks if look.at >= at - 1 and f"lowered to {amps} A" in look.sentence), None)
        assert told is not None, f"nobody was told of {amps} A"
        print(f"lowered to {amps} A: told {told - at:.1f} s after the cloud had it")
        assert told - at <= SOON_S
