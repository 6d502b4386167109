"""`dispatch demo`: the demo community, loaded or lived in, and its clock."""

import argparse
import sys
from collections.abc import Callable, Mapping
from datetime import datetime

from config.settings import Settings, get_settings
from dispatch.boot import boot
from dispatch.demo.care_year import CareYearPlan
from dispatch.demo.care_year import live as live_care_year
from dispatch.demo.clock import read_clock, reset_clock, set_clock
from dispatch.demo.day import DayPlan, live
from dispatch.demo.loading import Loaded, load
from dispatch.demo.sheet import inbox_url, write_sheet
from dispatch.demo.week import WeekPlan
from dispatch.demo.week import live as live_week
from dispatch.demo.year import YearPlan
from dispatch.demo.year import live as live_year
from dispatch.rules.shanghai import SHANGHAI

EXIT_REFUSED = 2
NOW = "now"
RESET = "reset"
DAY_RATE = 60.0
DAY_CALLS, WEEK_CALLS = 300, 120
WEEK_DAYS, CARE_DAYS = 7, 372


def describe(parser: argparse.ArgumentParser) -> None:
    """Load (nothing given), or set the clock."""
    parser.add_argument(
        "--clock", metavar="WHEN", type=moment, help="now (keep what it shows), reset, or an instant in ISO 8601"
    )
    parser.add_argument(
        "--rate", type=float, metavar="N", help="business seconds in a real one (--clock: 1, --day and --week: 60)"
    )
    parser.add_argument(
        "--day", action="store_true", help="live a day of calls in the running demo, in accelerated time"
    )
    parser.add_argument("--week", action="store_true", help="live a week in it: every side path, workdays and weekend")
    parser.add_argument("--year", action="store_true", help="live a year of the love supermarket, one open day a week")
    parser.add_argument("--care-year", action="store_true", help="live a year of the care calendar, every day of it")
    parser.add_argument("--weeks", type=int, default=55, metavar="N", help="weeks of the year (55)")
    parser.add_argument("--gifts", type=int, default=2_000, metavar="N", help="gifts of the year (2000)")
    parser.add_argument("--hand-outs", type=int, default=6_000, metavar="N", help="hand-outs of the year (6000)")
    parser.add_argument("--races", type=int, default=100, metavar="N", help="races for the last unit (100)")
    parser.add_argument("--calls", type=int, metavar="N", help="calls a day (--day: 300, --week: 120)")
    parser.add_argument("--days", type=int, metavar="N", help="days (--week: 7, --care-year: 372)")
    parser.add_argument(
        "--times", type=int, default=12, metavar="N", help="how often the week takes each side path (12)"
    )
    parser.add_argument(
        "--kill-every", type=float, default=0.0, metavar="N", help="kill a worker every N real seconds (never)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which day (1)")
    parser.epilog = "Works only where DISPATCH_DEMO is 1. Without options: load what is missing."


def run(arguments: argparse.Namespace) -> int:
    """Load the demo community (once; a second time changes nothing), set its clock, or live a day or a week in it."""
    settings = get_settings()
    if not settings.demo:
        print("dispatch demo: 只能在演示环境使用 · only where DISPATCH_DEMO is 1", file=sys.stderr)
        return EXIT_REFUSED
    if arguments.clock is not None:
        return move_clock(settings, arguments.clock, 1.0 if arguments.rate is None else arguments.rate)
    lived = next((name for name in LIVED if getattr(arguments, name)), None)
    return load_community(settings) if lived is None else LIVED[lived](settings, arguments)


def live_day(settings: Settings, arguments: argparse.Namespace) -> int:
    """A day of calls."""
    rate = DAY_RATE if arguments.rate is None else arguments.rate
    calls = DAY_CALLS if arguments.calls is None else arguments.calls
    return live(settings, DayPlan(calls, rate, arguments.kill_every, arguments.seed))


def live_market(settings: Settings, arguments: argparse.Namespace) -> int:
    """A year of the supermarket."""
    numbers = (arguments.weeks, arguments.gifts, arguments.hand_outs, arguments.races)
    return live_year(settings, YearPlan(*numbers, seed=arguments.seed))


def live_care(settings: Settings, arguments: argparse.Namespace) -> int:
    """A year of the care calendar."""
    boot()
    return live_care_year(settings, CareYearPlan(days=arguments.days or CARE_DAYS, seed=arguments.seed))


LIVED: Mapping[str, Callable[[Settings, argparse.Namespace], int]] = {
    "day": live_day,
    "week": lambda settings, arguments: live_week(settings, week_of(arguments)),
    "year": live_market,
    "care_year": live_care,
}
"""What may be lived, by the option that asks for it."""


def week_of(arguments: argparse.Namespace) -> WeekPlan:
    """The week that is asked for."""
    return WeekPlan(
        days=arguments.days or WEEK_DAYS,
        calls=WEEK_CALLS if arguments.calls is None else arguments.calls,
        times=arguments.times,
        rate=DAY_RATE if arguments.rate is None else arguments.rate,
        kill_every=arguments.kill_every,
        seed=arguments.seed,
    )


def moment(text: str) -> str | datetime:
    """`now`, `reset`, or an instant (without a zone: Asia/Shanghai); raises ArgumentTypeError."""
    if text in {NOW, RESET}:
        return text
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        reason = "must be now, reset, or an instant like 2026-11-23T09:00"
        raise argparse.ArgumentTypeError(reason) from error
    return instant if instant.tzinfo else instant.replace(tzinfo=SHANGHAI)


def move_clock(settings: Settings, when: str | datetime, rate: float) -> int:
    """Set or give back the clock and say what it shows."""
    url = settings.owner_database_url
    if when == RESET:
        reset_clock(url)
    else:
        set_clock(url, when if isinstance(when, datetime) else None, rate)
    reading = read_clock(url)
    print(f"业务时间 · business time {reading.instant.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S} × {reading.rate:g}")
    return 0


def load_community(settings: Settings) -> int:
    """Load what is missing, write the sheet, and say what was done."""
    boot()
    loaded = load(settings.home, settings.secret, inbox_url(settings.home))
    path = write_sheet(settings, loaded.community)
    tell(loaded)
    print(f"账号和密钥在 · log-ins and keys are in {path}")
    return 0


def tell(loaded: Loaded) -> None:
    """Say what a load has done."""
    if not loaded.is_new:
        print(f"演示社区已在库中,没有改动 · the demo community is there already ({loaded.seconds:.1f} s)")
        return
    for title, count in loaded.rows.items():
        print(f"  {title}: {count}")
    print(f"演示社区已载入 · the demo community is loaded ({loaded.seconds:.1f} s)")
