"""Living the day: who acts when, how fast time runs, which worker is killed, and how it ends."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from random import Random
from typing import Any

from config.settings import Settings
from dispatch.demo.calls import draft_calls
from dispatch.demo.clock import read_clock
from dispatch.demo.community import Community, make_community
from dispatch.demo.day.agenda import Agenda, BusinessTime
from dispatch.demo.day.firms import Firms
from dispatch.demo.day.people import Desk
from dispatch.demo.day.report import check, lines
from dispatch.demo.day.staff import Clerks, Workers
from dispatch.demo.day.story import Story
from dispatch.demo.day.wire import Browser, Wire
from dispatch.demo.sheet import FILE
from dispatch.rules.orders.states import ENDED, OrderState
from dispatch.rules.shanghai import SHANGHAI
from dispatch.supervisor.home import read_json

EXIT_WELL, EXIT_LOST, EXIT_NO_DEMO = 0, 1, 2
BREATH_SECONDS = 0.03
LOOK_SECONDS = 1.0
TELL_SECONDS = 10.0
QUIET = timedelta(minutes=10)
FAST_RATE = 1_800.0
CALLING_TIMES = (time_of_day(9, 30), time_of_day(14, 45))
DAYS_AFTER = 6
PASSING = ("awaiting_dispatch", "signed")
ADDRESSES = 250


@dataclass(frozen=True, slots=True)
class DayPlan:
    """How many calls, how many business seconds in a real one, and every how many real seconds a worker dies."""

    calls: int = 300
    rate: float = 60.0
    kill_every: float = 0.0
    seed: int = 1


@dataclass(slots=True)
class Killer:
    """Kills a worker process, by its number in HOME/processes.json, every so many real seconds."""

    home: Path
    every: float
    random: Random
    last: float = field(default_factory=time.monotonic)
    kills: int = 0

    def look(self) -> None:
        """Kill one when it is time."""
        if not self.every or time.monotonic() - self.last < self.every:
            return
        self.last = time.monotonic()
        processes: Mapping[str, Any] = read_json(self.home / "processes.json")
        workers = sorted(number for name, number in processes.items() if name.startswith("worker"))
        if workers:
            try:
                os.kill(self.random.choice(workers), signal.SIGKILL)
            except ProcessLookupError:
                return
            self.kills += 1


@dataclass(slots=True)
class Day:
    """All who act, and the loop in which they do."""

    time: BusinessTime
    rate: float
    agenda: Agenda
    story: Story
    desk: Desk
    firms: Firms
    workers: Workers
    clerks: Clerks
    killer: Killer
    ends: datetime
    looked_at: float = 0.0
    told_at: float = 0.0
    asked_at: float = 0.0
    ended: set[str] = field(default_factory=set)
    states: dict[str, int] = field(default_factory=dict)

    def live(self) -> None:
        """Until everything has ended, or the days after the day are over."""
        while self.time.now() < self.ends and not self.is_over():
            self.firms.read_inbox()
            self.agenda.do_due(self.time.now)
            self.look_around()
            self.killer.look()
            self.choose_rate()
            time.sleep(BREATH_SECONDS)

    def is_over(self) -> bool:
        """Whether no call is left and every order of the day has ended; asked at most every ten seconds."""
        now = time.monotonic()
        if self.calls_left or now - self.asked_at < TELL_SECONDS:
            return False
        self.asked_at = now
        for number in self.story.orders.keys() - self.ended:
            if OrderState(self.desk.find(number)["state"]) not in ENDED:
                return False
            self.ended.add(number)
        return True

    @property
    def calls_left(self) -> int:
        """Calls that nobody has made yet."""
        return self.story.counts["calls"] - self.story.counts["placed"] - len(self.story.refused)

    def look_around(self) -> None:
        """Once a second: the board, the workers' inboxes; every ten a line for whoever watches."""
        now = time.monotonic()
        if now - self.looked_at < LOOK_SECONDS:
            return
        self.looked_at = now
        self.desk.look()
        self.states = dict(self.desk.states)
        self.workers.look()
        if now - self.told_at >= TELL_SECONDS:
            self.told_at = now
            states = ", ".join(f"{state} {count}" for state, count in sorted(self.states.items()))
            shown = self.time.now().astimezone(SHANGHAI)
            print(f"{shown:%m-%d %H:%M} ×{self.time.rate:g} 已接 {self.story.counts['placed']} | {states}", flush=True)

    def choose_rate(self) -> None:
        """Fast while nobody has anything to do for a while and no offer is open, else the day's rate."""
        next_at = self.agenda.next_at
        quiet = next_at is None or next_at - self.time.now() > QUIET
        moving = self.desk.moving or any(self.states.get(state) for state in PASSING)
        self.time.run(max(FAST_RATE, self.rate) if quiet and not moving else self.rate)


def live(settings: Settings, plan: DayPlan) -> int:
    """Live a day against the running installation of `settings.home`; returns the exit code.

    0: nothing lost and nothing twice; 1: something is; 2: there is no demo here.
    """
    sheet = read_json(settings.home / FILE)
    if not sheet:
        print("没有演示社区 · no demo community here: dispatch up --demo")
        return EXIT_NO_DEMO
    community = make_community(date.fromisoformat(sheet["today"]), sheet["seed"])
    day = prepare(settings, plan, sheet, community)
    first_line = day.firms.read_until
    rate = day.rate
    try:
        day.live()
    finally:
        day.time.run(1.0)
    found = check(day.desk.wire, day.desk.dispatch_key, day.story, settings.home, first_line)
    print(f"一天结束 · the day is over (seed {plan.seed}, ×{rate:g})")
    for line in lines(day.story, found, day.killer.kills, day.desk.wire.repeats):
        print(line)
    return EXIT_WELL if found.is_kept else EXIT_LOST


def prepare(settings: Settings, plan: DayPlan, sheet: Mapping[str, Any], community: Community) -> Day:
    """Set the clock to the next midnight and note every call and the times of calling back."""
    begins = next_midnight(read_clock(settings.owner_database_url).instant)
    clock = BusinessTime.start(settings.owner_database_url, begins, plan.rate)
    agenda, story, wire = Agenda(), Story(plan.seed), Wire(sheet["base_url"])
    keys = sheet["api_keys"]
    desk = Desk(wire, keys["intake"], keys["dispatch"], clock, agenda, story, begins)
    firms = Firms(wire, settings.home, clock, agenda, story, desk.feed_back_later, source_of)
    firms.skip_old()
    passwords = {account["login"]: account["password"] for account in sheet["accounts"]}
    clerk_logins = [one["login"] for one in sheet["accounts"] if one["role"] == "callback_clerk"]
    browsers = [Browser(wire, login, passwords[login], source_of(login)) for login in clerk_logins]
    clerks = Clerks(wire, browsers, desk, story, clock)
    workers = Workers(wire, community, passwords, desk, firms, source_of)
    chance = Random(f"{plan.seed}:calls")  # noqa: S311 - a day that can be lived again is the point
    for call in draft_calls(chance, plan.calls, community):
        story.counts["calls"] += 1
        agenda.at(begins + timedelta(minutes=call.minute), lambda call=call: desk.place(call))
    for days in range(1, DAYS_AFTER):
        for moment in CALLING_TIMES:
            at = datetime.combine((begins.astimezone(SHANGHAI) + timedelta(days=days)).date(), moment, SHANGHAI)
            agenda.at(at, clerks.call_everybody)
    killer = Killer(settings.home, plan.kill_every, story.chance("kill"))
    ends = begins + timedelta(days=DAYS_AFTER)
    return Day(clock, plan.rate, agenda, story, desk, firms, workers, clerks, killer, ends)


def next_midnight(instant: datetime) -> datetime:
    """The next midnight of Asia/Shanghai: the clock never goes back."""
    local = instant.astimezone(SHANGHAI)
    return datetime.combine(local.date() + timedelta(days=1), time_of_day(0), SHANGHAI)


def source_of(person: str) -> str:
    """The loopback address from which somebody asks: everybody has a telephone of their own."""
    number = Random(person).randrange(ADDRESSES * ADDRESSES)  # noqa: S311 - an address, no secret
    return f"127.77.{1 + number // ADDRESSES}.{1 + number % ADDRESSES}"
