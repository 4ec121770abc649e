"""`python -m simulation`: replay a recorded house, or compare controllers over all of them."""

import argparse
import asyncio
from dataclasses import asdict, replace as changed
import json
from pathlib import Path
import sys

from custom_components.amp_sensor.control import Mode

from . import cost, loads, nights, peaks, sun
from .account import account
from .baselines import CONTROLLERS
from .benchmark import SHIPPED, SUN, UCI, cases, run
from .house import load, load_sun
from .plant import CONDITIONS, Charger
from .plot import draw
from .replay import Record, replay
from .report import tables, write

PROJECT = Path(__file__).parent.parent
SHARED = PROJECT.parent / "shared" / "traces"
AFTERNOON_H = 17.0
MODES = [mode.value for mode in Mode]


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    top = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    one = commands.add_parser("replay", help="one controller in one house")
    one.add_argument("trace", type=Path, metavar="TRACE.csv[.gz]")
    one.add_argument("--budget", type=float, required=True, metavar="A", help="per phase")
    one.add_argument("--car-max", type=int, required=True, metavar="A", help="per phase, at least 5")
    one.add_argument(
        "--cars", type=int, choices=range(1, 10), default=1, metavar="N", help="on this supply; default: 1"
    )
    one.add_argument("--car-phases", type=_phases, metavar="1,2,3", help="that each loads; default: all of the house's")
    one.add_argument("--local", action="store_true", help="chargers that are told directly, without a cloud")
    one.add_argument("--sun", type=float, default=0.0, metavar="X", help="so many roofs of 4.6 kW; default: none")
    one.add_argument("--mode", choices=MODES, default=Mode.BALANCED.value)
    one.add_argument("--controller", choices=CONTROLLERS, default="amp_sensor")
    one.add_argument("--conditions", choices=CONDITIONS, default="normal", help="of meter, network and cloud")
    one.add_argument(
        "--report-delta", type=float, default=0.0, metavar="A", help="also post on such a change; 0: never"
    )
    one.add_argument("--post-s", type=float, metavar="S", help="interval of the posts (normal: 5, stress: 10)")
    one.add_argument("--start-h", type=float, default=0.0, metavar="H", help="where in the trace to begin")
    one.add_argument("--hours", type=float, metavar="H", help="how long; default: to its end")
    one.add_argument("--seed", type=int, default=1, metavar="N")
    one.add_argument("--json", action="store_true", help="print JSON")
    one.add_argument("--plot", type=Path, metavar="FILE.png")
    one.add_argument("--account", action="store_true", help="also print where charge was lost, and what went over")
    one.set_defaults(run=run_replay)

    every = commands.add_parser("benchmark", help="all controllers in all houses; writes docs/benchmark.md")
    every.add_argument(
        "--traces", type=Path, default=SHARED, metavar="DIR", help="more traces; default: ../shared/traces"
    )
    every.add_argument("--hours", type=float, metavar="H", help="of each house at most; default: four days")
    every.add_argument("--seeds", type=int, default=3, metavar="N")
    every.add_argument("--report-delta", type=float, default=1.0, metavar="A")
    every.add_argument("--docs", type=Path, default=PROJECT / "docs", metavar="DIR", help="where benchmark.md goes")
    every.set_defaults(run=run_benchmark)

    roof = commands.add_parser("sun", help="charging with surplus: the rows of docs/surplus.md")
    roof.add_argument(
        "--traces", type=Path, default=SHARED, metavar="DIR", help="more traces; default: ../shared/traces"
    )
    roof.add_argument("--hours", type=float, default=sun.HOURS, metavar="H", help="of each house at most")
    roof.add_argument("--seeds", type=int, default=1, metavar="N")
    roof.set_defaults(run=run_sun)

    quarters = commands.add_parser("peaks", help="a car within a limit on each quarter of an hour")
    quarters.add_argument(
        "--traces", type=Path, default=SHARED, metavar="DIR", help="more traces; default: ../shared/traces"
    )
    quarters.add_argument("--start-h", type=float, default=12.0, metavar="H", help="of the first day; default: noon")
    quarters.add_argument("--hours", type=float, default=12.0, metavar="H", help="of each house; default: 12")
    quarters.add_argument("--seed", type=int, default=1, metavar="N")
    quarters.set_defaults(run=run_peaks)

    switched = commands.add_parser(
        "loads", help="a boiler and a heat pump behind a breaker of half the usual rating, and within 4 kW"
    )
    switched.add_argument("--traces", type=Path, default=SHARED, metavar="DIR", help="default: ../shared/traces")
    switched.add_argument("--hours", type=float, default=48.0, metavar="H", help="of each house; default: two days")
    switched.set_defaults(run=run_loads)

    price = commands.add_parser("cost", help="time of a decision and of a reading")
    price.add_argument("--hours", type=float, default=1.0, metavar="H", help="of the house, an afternoon")
    price.set_defaults(run=run_cost)

    ready = commands.add_parser("nights", help="a car that is to be ready by seven, at made-up prices")
    ready.add_argument("--traces", type=Path, default=SHARED, metavar="DIR", help="default: ../shared/traces")
    ready.add_argument("--seeds", type=int, default=5, metavar="N", help="cars and prices for each night; default: 5")
    ready.set_defaults(run=run_nights)

    database = commands.add_parser("recorder", help="what a day costs Home Assistant's database, and how true it is")
    database.add_argument("trace", type=Path, nargs="?", default=SHIPPED / UCI, metavar="TRACE.csv[.gz]")
    database.add_argument("--start-h", type=float, default=0.0, metavar="H", help="where in the trace to begin")
    database.add_argument("--hours", type=float, default=24.0, metavar="H", help="how long; default: a day")
    database.set_defaults(run=run_recorder)
    fleet = commands.add_parser("fleet", help="many meters on one Home Assistant, in real time")
    fleet.add_argument("--meters", type=int, default=50, metavar="N")
    fleet.add_argument("--seconds", type=int, default=120, metavar="S")
    fleet.set_defaults(run=run_fleet)
    under_load = commands.add_parser("load", help="what readings cost a real Home Assistant, and a flood of them")
    under_load.add_argument("--sites", type=int, default=50, metavar="N", help="with a car each; default: 50")
    under_load.add_argument("--seconds", type=int, default=60, metavar="S", help="of all sites; default: 60")
    under_load.set_defaults(run=run_load)
    return top


def _phases(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def run_replay(options: argparse.Namespace) -> None:
    """Replay one house, print what came of it, and draw it where asked to."""
    house = load(options.trace).window(start_h=options.start_h, hours=options.hours)
    if options.sun:
        house = house.under_sun(options.sun * load_sun(SHIPPED / SUN))
    charger = Charger(max_amps=options.car_max, phases=options.car_phases, local=options.local)
    if any(not 1 <= phase <= len(house.phases) for phase in options.car_phases or ()):
        raise ValueError(f"{house.name} has {len(house.phases)} phase(s)")
    if options.account and options.cars > 1:
        raise ValueError("an account is of one car")
    conditions = CONDITIONS[options.conditions]
    if options.post_s:
        conditions = changed(conditions, post_s=options.post_s)
    record = Record() if options.plot or options.account else None
    result = replay(
        house,
        options.controller,
        budget=options.budget,
        chargers=(charger,) * options.cars,
        mode=Mode(options.mode),
        conditions=conditions,
        report_delta=options.report_delta,
        seed=options.seed,
        record=record,
    )
    if record is not None and options.plot:
        title = f"{house.name}: {options.controller}"
        title += f", {options.mode}" if options.controller == "amp_sensor" else ""
        draw(options.plot, record, house, budget=options.budget, title=title)
    values = {key: round(value, 3) for key, value in asdict(result).items()}
    if options.json:
        print(json.dumps(values))
        return
    print("\n".join(f"{key:20} {value:>12,}" for key, value in values.items()))
    if record is not None and options.account:
        causes = account(record, house, budget=options.budget, charger=charger)
        for title, shares in (
            ("charge lost, % of the clairvoyant's", causes.lost_pct),
            ("over budget, A·s a day", causes.over_amp_s_per_day),
        ):
            print(f"\n{title}")
            print("\n".join(f"{cause:28} {share:>9,.2f}" for cause, share in shares.most_common()))


def run_benchmark(options: argparse.Namespace) -> None:
    """Run all of it, print the tables, and write them down with their pictures."""
    houses, absent = cases((SHIPPED, options.traces), hours=options.hours)
    results = run(houses, seeds=options.seeds, report_delta=options.report_delta)
    print(tables(results, absent))
    write(options.docs, results, absent)


def run_sun(options: argparse.Namespace) -> None:
    """Let cars charge with surplus in all houses, and print the table."""
    houses = sun.cases((SHIPPED, options.traces), hours=options.hours)
    print(sun.table(sun.run(houses, seeds=options.seeds)))


def run_peaks(options: argparse.Namespace) -> None:
    """Print what a car gets within a limit on each quarter of an hour, line by line: it takes minutes."""
    for line in peaks.tables(
        (SHIPPED, options.traces), start_h=options.start_h, hours=options.hours, seed=options.seed
    ):
        print(line, flush=True)


def run_loads(args: argparse.Namespace) -> None:
    """Print the tables of docs/loads.md."""
    for rows in (loads.table, loads.limit_table):
        for row in rows(args.traces, hours=args.hours):
            print(row, flush=True)
        print()


def run_cost(options: argparse.Namespace) -> None:
    """Measure what deciding costs on this machine, and print it."""
    print(cost.report(cost.measure(load(SHIPPED / UCI).window(start_h=AFTERNOON_H, hours=options.hours))))


def run_nights(options: argparse.Namespace) -> None:
    """Play each night with each plan, and print what it came to."""
    print(nights.report(options.traces, options.seeds))


def run_recorder(options: argparse.Namespace) -> None:
    """Post a recorded house to a real recorder both ways, and print what it cost."""
    from .recorder import compare, report  # it brings all of Home Assistant

    house = load(options.trace).window(start_h=options.start_h, hours=options.hours)
    print(report(house, asyncio.run(compare(house))))


def run_fleet(options: argparse.Namespace) -> None:
    """Let many meters post to one Home Assistant, and print what they cost it."""
    from .fleet import measure, report  # it brings all of Home Assistant

    house = load(SHIPPED / UCI)
    print(report(asyncio.run(measure(house, meters=options.meters, seconds=options.seconds))))


def run_load(options: argparse.Namespace) -> None:
    """Post as much as a Home Assistant takes, and print what it took."""
    from . import load  # it brings much of Home Assistant

    print(load.report(asyncio.run(load.measure(sites=options.sites, seconds=options.seconds))))


def main() -> int:
    """Run the command that the command line asks for."""
    options = parser().parse_args()
    try:
        options.run(options)
    except (OSError, ValueError) as error:
        print(f"simulation: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
