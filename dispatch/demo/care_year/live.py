"""Living the year of care: day after day, each at the hours at which something is to be done; the end is told."""

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any

import psycopg

from config.settings import Settings
from dispatch.demo.care_year.desk import Desk
from dispatch.demo.care_year.devices import Devices
from dispatch.demo.care_year.elders import Elders
from dispatch.demo.care_year.fates import Fates
from dispatch.demo.care_year.hosting import Hosts
from dispatch.demo.care_year.readers import Readers
from dispatch.demo.care_year.sessions import outlast_the_year
from dispatch.demo.care_year.visits import Helpers
from dispatch.demo.clock import read_clock
from dispatch.demo.community import make_community
from dispatch.demo.day.agenda import Agenda, BusinessTime
from dispatch.demo.day.live import EXIT_LOST, EXIT_NO_DEMO, EXIT_WELL, source_of
from dispatch.demo.day.wire import Wire
from dispatch.demo.sheet import FILE
from dispatch.demo.year.errands import Errands
from dispatch.demo.year.screen import Screen
from dispatch.demo.year.shop import Diary, Shop, Surprise
from dispatch.rules.shanghai import SHANGHAI
from dispatch.supervisor.home import read_json

MORNING, LAST = time_of_day(8, 5), time_of_day(21, 30)
A_DAY = timedelta(days=1)
RATE = 10.0
TOGETHER = timedelta(minutes=75)
LOOKS = 6
SETTLE_SECONDS, PAUSE_SECONDS = 25.0, 0.05
KILLED = ("worker", "web", "sweep", "beat", "worker-2", "alarm")
DIARY = "care-year.json"
WAITS = (
    "SELECT count(*) FROM jobs WHERE done_at IS NULL AND dead_at IS NULL AND run_at <= dispatch_now() "
    "AND kind NOT IN ('system.canary', 'care.watch_devices')"
)

MADE = "SELECT count(*) FROM jobs WHERE done_at IS NOT NULL AND kind = 'care.keep_duties'"


@dataclass(frozen=True, slots=True)
class CareYearPlan:
    """How many days; a kill every so many of them."""

    days: int = 372
    kill_every: int = 12
    seed: int = 1


@dataclass(slots=True)
class CareYear:
    """All who act, and the days on which they do."""

    shop: Shop
    plan: CareYearPlan
    settings: Settings
    begins: date
    agenda: Agenda
    elders: Elders
    helpers: Helpers
    desk: Desk
    fates: Fates
    devices: Devices
    kills: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def live(self) -> None:
        """What lies there already, then every day."""
        self.turn(self.begins)
        for number in range(self.plan.days):
            began = time.monotonic()
            self.live_day(self.begins + number * A_DAY, number)
            self.seconds.append(time.monotonic() - began)
            self.tell(number)
            if number % 10 == 0:
                write(self)

    def live_day(self, day: date, number: int) -> None:
        """The morning with the day's work of the clock, and each hour at which somebody is to be somewhere."""
        self.go_to(datetime.combine(day, MORNING, SHANGHAI))
        self.wait_for_the_clock(day)
        self.kill(number)
        self.fates.live(number, day)
        self.shop.attempt(lambda: self.devices.live(number, day))
        self.turn(day)
        last = datetime.combine(day, LAST, SHANGHAI)
        while self.agenda.next_at is not None and self.agenda.next_at <= last:
            self.go_to(max(self.shop.time.now(), self.agenda.next_at + TOGETHER))
            self.agenda.do_due(self.shop.time.now)
            self.turn(day)

    def go_to(self, instant: datetime) -> None:
        """Let the clock leap, and what is due by then be done."""
        if instant > self.shop.time.now():
            self.shop.time.leap(instant)
        self.settle()

    def turn(self, day: date) -> None:
        """People answer and the desk looks, until nothing new comes."""
        for _ in range(LOOKS):
            self.desk.look(day.isoformat())
            self.settle()
            if not self.helpers.look():
                return
            self.settle()

    def settle(self) -> None:
        """Until no job waits that is due."""
        self.wait_until(WAITS, lambda count: count == 0)

    def wait_until(self, question: str, is_so: Callable[[int], bool]) -> None:
        """Until the answer to a question of the queue is so, or much time has passed."""
        limit = time.monotonic() + SETTLE_SECONDS
        with psycopg.connect(self.settings.owner_database_url.replace("+psycopg", ""), autocommit=True) as connection:
            while time.monotonic() < limit:
                row = connection.execute(question.encode()).fetchone()
                if row is not None and is_so(int(row[0])):
                    return
                time.sleep(PAUSE_SECONDS)
        self.shop.diary.count("times that jobs still waited")

    def wait_for_the_clock(self, day: date) -> None:
        """Until the clock's own work of the day is done."""
        self.wait_until(f"{MADE} AND arguments->>'period' = '{day}'", lambda count: count > 0)
        self.settle()

    def kill(self, number: int) -> None:
        """Kill one process by its number while people are at work."""
        if not self.plan.kill_every or number % self.plan.kill_every != self.plan.kill_every - 1:
            return
        name = KILLED[number // self.plan.kill_every % len(KILLED)]
        processes: Mapping[str, Any] = read_json(self.settings.home / "processes.json")
        if name in processes:
            os.kill(int(processes[name]), signal.SIGKILL)
            self.kills.append(name)

    def tell(self, number: int) -> None:
        """Where the year is."""
        shown, counts = self.shop.time.now().astimezone(SHANGHAI), self.shop.diary.counts
        done = f"接 {counts['accept 200']} 完 {counts['finish done 200']} 记 {counts['records at the desk']}"
        print(f"{shown:%Y-%m-%d %H:%M} 第{number + 1}天 {done} ({self.seconds[-1]:.1f} s)", flush=True)


def live(settings: Settings, plan: CareYearPlan) -> int:
    """Live a year of care against the running installation of `settings.home`, the doors open; returns the exit code.

    0: nothing was otherwise than it must be; 1: something was; 2: there is no demo here. What was done stands in
    HOME/care-year.json for whoever checks it.
    """
    sheet = read_json(settings.home / FILE)
    if not sheet:
        print("没有演示社区 · no demo community here: dispatch up --demo")
        return EXIT_NO_DEMO
    outlast_the_year()
    year = prepare(settings, plan, sheet)
    try:
        year.live()
    except Surprise as surprise:
        year.shop.diary.surprise(str(surprise))
    finally:
        year.shop.time.run(1.0)
        write(year)
    return tell_end(year)


def prepare(settings: Settings, plan: CareYearPlan, sheet: Mapping[str, Any]) -> CareYear:
    """Everybody at their place on the morning after."""
    now = read_clock(settings.owner_database_url).instant
    clock = BusinessTime.start(settings.owner_database_url, now, RATE)
    wire, community = Wire(sheet["base_url"]), make_community(date.fromisoformat(sheet["today"]), sheet["seed"])
    screens = {
        one["login"]: Screen(wire, one["login"], one["password"], source_of(one["login"])) for one in sheet["accounts"]
    }
    begins = now.astimezone(SHANGHAI).date() + A_DAY
    shop = Shop(wire, sheet["api_keys"], community, clock, screens, [], Diary(), plan.seed, f"care-{begins}")
    agenda, elders = Agenda(), Elders(shop, screens["dispatcher1"])
    helpers = Helpers(shop, settings.home, agenda, elders)
    desk = Desk(Errands(shop, settings.home, ()), helpers, elders)
    devices = Devices(shop, elders, (settings.alarm_host, settings.alarm_port), plan.days)
    readers = Readers(shop, elders, settings.home)
    fates = Fates(
        shop, elders, helpers, devices, plan.days, screens["centre1"], Hosts(shop, screens["centre2"]), readers
    )
    shop.learn()
    elders.learn()
    devices.learn()
    helpers.tested, helpers.fetched = devices.test, devices.fetched
    helpers.begin()
    desk.learn()
    return CareYear(shop, plan, settings, begins, agenda, elders, helpers, desk, fates, devices)


def write(year: CareYear) -> None:
    """Keep what was done where a checker finds it."""
    diary = year.shop.diary
    kept = {
        "begins": year.begins.isoformat(),
        "counts": dict(diary.counts),
        "given": diary.given,
        "surprises": diary.surprises,
        "kills": year.kills,
        "seconds": year.seconds,
    }
    (year.settings.home / DIARY).write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")


def tell_end(year: CareYear) -> int:
    """The table and the exit code."""
    diary = year.shop.diary
    print(f"一年结束 · the year is over (seed {year.plan.seed}, {year.plan.days} days, {len(year.kills)} kills)")
    for word, count in sorted(diary.counts.items()):
        print(f"  {word}: {count}")
    for line in diary.surprises:
        print(f"意外 · SURPRISE: {line}")
    return EXIT_LOST if diary.surprises else EXIT_WELL
