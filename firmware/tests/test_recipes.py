"""The lines for people who run something else, as far as this machine can run them."""

from pathlib import Path
import shutil
import subprocess

from conftest import arduino, generator
import pytest
from simulated_house import UNKNOWN_ID, Webhook, free_port

GENERATOR = generator()


def test_the_curl_line_is_accepted() -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    with Webhook(free_port()) as webhook:
        url = f"http://127.0.0.1:{webhook.port}/api/webhook/x"
        line = GENERATOR.recipe(GENERATOR.Recipe.CURL, webhook_url=url)
        done = subprocess.run(line, shell=True, capture_output=True, text=True, check=True)
    assert "accepted" in done.stdout
    assert webhook.posts[0].data == {"amps": 10.0, "watts": 2200.0}


def test_the_micropython_recipe_tells_accepted_from_unknown_and_from_silence() -> None:
    names: dict = {}
    with Webhook(free_port()) as webhook:
        url = f"http://127.0.0.1:{webhook.port}/api/webhook/x"
        exec(GENERATOR.recipe(GENERATOR.Recipe.MICROPYTHON, webhook_url=url), names)
        assert names["report"](9.5, 2185.0) is True
        assert webhook.posts[0].data == {"amps": 9.5, "watts": 2185.0}
        webhook.answer = UNKNOWN_ID
        assert names["report"](9.5, 2185.0) is False
    assert names["report"](9.5, 2185.0) is False


def test_the_arduino_recipe_tells_accepted_from_unknown_and_from_silence(tmp_path: Path) -> None:
    with Webhook(free_port()) as webhook:
        report = arduino(f"http://127.0.0.1:{webhook.port}/api/webhook/x", tmp_path)
        assert report(9.5, 2185.0)
        assert webhook.posts[0].data == {"amps": 9.5, "watts": 2185.0}
        assert webhook.posts[0].content_type == "application/json"
        webhook.answer = UNKNOWN_ID
        assert not report(9.5, 2185.0)
    assert not report(9.5, 2185.0)
