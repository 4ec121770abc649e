"""Reading recorded houses."""

import gzip
from pathlib import Path

from hypothesis import HealthCheck, given, settings, strategies as st
import numpy as np
import pytest

from simulation.house import House, load, load_sun

SHIPPED = Path(__file__).parents[2] / "simulation" / "traces" / "uci_sceaux_2007jan_1min.csv.gz"


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 400), st.floats(0, 60)), min_size=1, max_size=30))
def test_each_second_has_the_last_sample_before_it(tmp_path: Path, steps: list[tuple[int, float]]) -> None:
    times = np.cumsum([step for step, _ in steps]).tolist()
    samples = dict(zip(times, (amps for _, amps in steps), strict=True))
    house = load(_write(tmp_path / "h.csv", "t_s,amps\n" + "".join(f"{t},{a!r}\n" for t, a in samples.items())))
    assert (house.start_s, house.seconds) == (times[0], times[-1] - times[0] + 1)
    for second, amps in enumerate(house.phases[0].tolist(), start=times[0]):
        assert amps == samples[max(t for t in times if t <= second)]


def test_samples_between_seconds_count_from_the_next_second(tmp_path: Path) -> None:
    house = load(_write(tmp_path / "h.csv", "t_s,amps\n0.5,1\n1.5,2\n3,3\n"))
    assert house.start_s == 1
    assert house.phases[0].tolist() == [1, 2, 3]


def test_phases_are_read_where_there_are_any_and_other_columns_ignored(tmp_path: Path) -> None:
    house = load(_write(tmp_path / "h.csv", "amps,amps_l3,watts,amps_l1,amps_l2,t_s\n9,3,0,1,2,0\n9,6,0,7,5,1\n"))
    assert house.phases.tolist() == [[1, 7], [2, 5], [3, 6]]
    assert house.peak.tolist() == [3, 7]


def test_compressed_and_plain_are_the_same(tmp_path: Path) -> None:
    text = "t_s,amps\n0,1\n5,2\n"
    (tmp_path / "h.csv.gz").write_bytes(gzip.compress(text.encode()))
    packed, plain = load(tmp_path / "h.csv.gz"), load(_write(tmp_path / "h.csv", text))
    assert packed.name == plain.name == "h"
    assert packed.phases.tolist() == plain.phases.tolist()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no column t_s, amps"),
        ("t_s,watts\n0,1\n", "no column amps"),
        ("amps\n1\n", "no column t_s"),
        ("t_s,amps\n", "no rows"),
        ("t_s,amps\n5,1\n5,2\n", "does not increase"),
        ("t_s,amps\n0,many\n", "many"),
    ],
)
def test_what_is_no_trace_is_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        load(_write(tmp_path / "h.csv", text))


def test_a_window_is_cut_on_the_recordings_own_clock() -> None:
    house = House(name="h", start_s=1800, phases=np.arange(7200.0).reshape(1, -1))
    part = house.window(start_h=1, hours=0.5)
    assert (part.start_s, part.seconds, part.phases[0, 0]) == (3600, 1800, 1800)
    assert house.window(hours=100).seconds == 7200
    with pytest.raises(ValueError, match="nothing from hour 3 on"):
        house.window(start_h=3)


def test_the_shipped_house_is_a_week_at_one_minute() -> None:
    house = load(SHIPPED)
    assert house.seconds == 604741
    assert house.peak.max() == 38.2
    assert (house.phases[0, :60] == 5.6).all()


def test_the_sun_is_taken_off_all_phases_alike_by_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "roof.csv"
    path.write_text("t_s,watts\n7200,0\n7260,2300\n7320,4600\n7380,0\n")
    watts = load_sun(path)
    assert len(watts) == 86400
    assert (watts[7199], watts[7259], watts[7260], watts[7330], watts[7380], watts[-1]) == (0, 0, 2300, 4600, 0, 0)
    one = House(name="made up", start_s=7259, phases=np.array([[3.0, 3.0]])).under_sun(watts)
    assert one.phases.tolist() == [[3.0, -7.0]]
    two = House(name="made up", start_s=7319 + 86400, phases=np.array([[3.0, 3.0], [8.0, 9.0]])).under_sun(watts)
    assert two.phases.tolist() == [[-2.0, -7.0], [3.0, -1.0]]
    assert two.peak.tolist() == [3.0, -1.0]


def test_the_shipped_roof_gives_nothing_at_night_and_most_at_noon() -> None:
    watts = load_sun(SHIPPED.with_name("pv_serf_east_2022mar_1min.csv.gz"))
    days = watts.reshape(2, 24, 3600).mean(axis=2)
    assert (days[:, :5] == 0).all()
    assert (days[:, 10:13] > 3000).all()
    assert 4600 < watts.max() < 4700
