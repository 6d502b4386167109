"""`python -m benchmarks`: all measurements in one run on a house of their own; --short in about a minute."""

import argparse

from benchmarks import journal, routing
from benchmarks.house import house
from benchmarks.measure import machine, tell

JOURNAL = "journal"
"""Asked for by name alone: it has houses of its own, and its large one takes long to make."""
SECTIONS = ("intake", "backlog", "idle", "routing", "queries", "reports", "alarms")


def main() -> None:
    """Read what is wanted, start a house, measure, stop it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="one short run of each, about a minute")
    parser.add_argument("--million", action="store_true", help="queries and reports at 10⁶ orders (some minutes more)")
    parser.add_argument(
        "--lines", type=int, default=journal.LARGE, help="lines of the journal (10⁷: some fifteen minutes)"
    )
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"some of: {', '.join(SECTIONS)} (all), or {JOURNAL}"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.sections) - {*SECTIONS, JOURNAL}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    wanted = frozenset(arguments.sections or SECTIONS)
    tell(f"machine: {machine()}")
    if JOURNAL in wanted:
        journal.measure(arguments.lines, short=arguments.short)
    if wanted - {JOURNAL}:
        measure_house(wanted, short=arguments.short, million=arguments.million)


def measure_house(wanted: frozenset[str], *, short: bool, million: bool) -> None:
    """Every measurement, on one house: the peer of each is measured in turns with it."""
    rounds = 1 if short else 3
    backlog_size = 500 if short else 2_000
    with house() as running:
        # these read the settings of the house that has just been started
        from benchmarks import alarms, backlog, idle, intake, queries, reports  # noqa: PLC0415

        if "queries" in wanted:
            queries.measure(running, rounds=40 if short else 300, short=short, million=million)
        if "reports" in wanted:
            reports.measure(running, rounds=10 if short else 30, short=short, million=million)
        if "intake" in wanted:
            intake.measure(running, seconds=2 if short else 6, rounds=1 if short else 5)
        if "backlog" in wanted:
            backlog.measure(running, count=backlog_size, rounds=rounds)
        if "idle" in wanted:
            idle.measure(running, count=8 if short else 40)
        if "alarms" in wanted:
            alarms.measure(running, short=short)
        if "routing" in wanted:
            routing.measure(lambda: backlog.drain_noops(running, backlog_size), rounds=rounds)


if __name__ == "__main__":
    main()
