"""A sensor as it stands in a fuse box: measures house and car together, and posts over HTTP like the firmware."""

from dataclasses import replace
from random import Random
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from .house import VOLTS
from .plant import NORMAL, Sensor

POST_TIMEOUT: Final = ClientTimeout(total=4)  # the firmware's
REPORT_DELTA_A: Final = 1.0  # the firmware posts at once on such a change
SECONDS_PER_HOUR: Final = 3600


class PostingSensor:
    """Posts what it is shown, and counts. Only `accepted: true` is accepted: an unknown webhook answers 200 too."""

    def __init__(self, session: ClientSession, url: str, *, seed: int, post_s: float = NORMAL.post_s) -> None:
        """Take the webhook's address, and how often it posts at least, s.

        What gets lost on the way here gets really lost, so nothing is thrown away.
        """
        self.posted = 0
        self.accepted = 0
        self._session = session
        self._url = url
        self._sensor = Sensor(replace(NORMAL, lost_posts=0.0, post_s=post_s), report_delta=REPORT_DELTA_A, seed=seed)
        self._boot_id = f"{Random(seed).getrandbits(32):08x}"
        self._seconds = 0
        self._energy_wh = 0.0

    async def tick(self, *amps: float) -> None:
        """Measure this second's current of each phase, and post it if due, or at once on a step of 1 A.

        What is fed in is negative, and not counted.
        """
        reading = self._sensor.sample(self._seconds, amps)
        self._seconds += 1
        self._energy_wh += max(0.0, sum(amps)) * VOLTS / SECONDS_PER_HOUR
        if reading is None:
            return
        self.posted += 1
        phases = [{"amps": round(each, 2), "watts": round(each * VOLTS, 1)} for each in reading.known]
        post = {
            **(phases[0] if len(phases) == 1 else {"phases": phases}),
            "energy_wh": round(self._energy_wh, 3),
            "boot_id": self._boot_id,
        }
        try:
            async with self._session.post(self._url, json=post, timeout=POST_TIMEOUT) as response:
                answer = await response.json(content_type=None)
        except ClientError, TimeoutError, ValueError:
            return
        self.accepted += isinstance(answer, dict) and answer.get("accepted") is True
