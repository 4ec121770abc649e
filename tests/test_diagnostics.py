"""What can be attached to a report gives nothing away."""

from dataclasses import replace
import json
from math import inf

from homeassistant.components.diagnostics import REDACTED
from homeassistant.helpers.json import json_dumps as ha_json_dumps

from custom_components.amp_sensor.diagnostics import async_get_config_entry_diagnostics
from tests.conftest import CHARGING, TOKEN, VIN, WEBHOOK_ID, Site


async def test_diagnostics_tell_what_matters_and_no_secret(site: Site) -> None:
    site.charger.report = replace(CHARGING, age_s=inf)
    await site.advance(20, amps=30.0, watts=6900.0)
    diagnostics = await async_get_config_entry_diagnostics(site.hass, site.entry)
    text = ha_json_dumps(diagnostics)
    for secret in (TOKEN, VIN, WEBHOOK_ID, "43.36", "8.83", "127.0.0.1", "Rocinante", "Casa"):
        assert secret not in text
    told = json.loads(text)
    assert told["data"]["max_amps"] == 25
    assert told["data"]["webhook_id"] == REDACTED
    assert told["chargers"][0]["data"]["max_amps_car"] == 16
    assert told["site"]["reading"]["amps"] == [30.0]
    (charger,) = told["site"]["chargers"].values()
    assert charger["report"]["state"] == "charging"
    assert charger["decision"]["reason"]
