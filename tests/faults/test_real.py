"""What a log tells of us, in an evening in a real process."""

from tests.faults.real import _failures, house

LOG = """\
2026-11-26 13:00:01.123 WARNING (MainThread) [custom_components.amp_sensor.site.link] Car cannot be reached
2026-11-26 13:00:02.123 ERROR (MainThread) [custom_components.amp_sensor.site.parts] Amp Sensor Home: a failure
Traceback (most recent call last):
  File "custom_components/amp_sensor/site/keeper.py", line 1, in async_save
homeassistant.util.file.WriteError: [Errno 13]
2026-11-26 13:00:02.124 ERROR (MainThread) [homeassistant.helpers.storage] Error writing config for amp_sensor.1
2026-11-26 13:00:03.123 ERROR (Recorder) [homeassistant.components.recorder.core] Error in database connectivity
2026-11-26 13:00:04.123 ERROR (MainThread) [homeassistant] Error doing job: Task exception was never retrieved
Traceback (most recent call last):
  File "custom_components/amp_sensor/site/coordinator.py", line 1, in _act
KeyError: 'a'
"""


def test_errors_are_ours_where_we_logged_them_or_occur_in_their_traceback() -> None:
    assert _failures(LOG) == [
        ("custom_components.amp_sensor.site.parts", "Amp Sensor Home: a failure"),
        ("homeassistant", "Error doing job: Task exception was never retrieved"),
    ]


def test_first_the_car_has_to_be_lowered_and_then_it_does_not_fit_any_more() -> None:
    drawn = [house(second) for second in range(120)]
    assert [drawn[44], drawn[45], drawn[70], drawn[110]] == [8.0, 15.0, 22.0, 8.0]
