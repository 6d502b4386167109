"""Living the week: everybody acts in accelerated time, the tales go on, workers are killed, the end is checked."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from config.settings import Settings
from dispatch.demo.calls import DraftCall
from dispatch.demo.clock import read_clock
from dispatch.demo.community import Community, make_community
from dispatch.demo.day.agenda import Agenda, BusinessTime
from dispatch.demo.day.firms import Firms
from dispatch.demo.day.live import CALLING_TIMES, EXIT_LOST, EXIT_NO_DEMO, EXIT_WELL, Killer, next_midnight, source_of
from dispatch.demo.day.people import Desk
from dispatch.demo.day.report import Findings, check, lines
from dispatch.demo.day.staff import Clerks, Workers
from dispatch.demo.day.story import Story
from dispatch.demo.day.wire import Browser, Wire
from dispatch.demo.sheet import FILE
from dispatch.demo.week.case import Case
from dispatch.demo.week.cast import Cue, cues, ordinary_calls
from dispatch.demo.week.director import Director
from dispatch.demo.week.house import House
from dispatch.demo.week.pace import Pace
from dispatch.demo.week.paths import Ledger
from dispatch.rules.orders.states import ENDED
from dispatch.rules.shanghai import SHANGHAI
from dispatch.supervisor.home import read_json

BREATH_SECONDS = 0.02
TELL_SECONDS = 20.0
QUICK_LOOK_SECONDS, LOOK_SECONDS, BOARD_SECONDS = 0.5, 1.0, 3.0
DAYS_AFTER = 12
SETTLING_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class WeekPlan:
    """How many days, calls a day, times each side path; the slowest rate; every how many real seconds a kill."""

    days: int = 7
    calls: int = 120
    times: int = 12
    rate: float = 60.0
    kill_every: float = 0.0
    seed: int = 1


@dataclass(slots=True)
class Week:
    """All who act, and the loop in which they do."""

    time: BusinessTime
    agenda: Agenda
    story: Story
    house: House
    firms: Firms
    workers: Workers
    clerks: Clerks
    director: Director
    pace: Pace
    killer: Killer
    ends: datetime
    to_come: int = 0
    told: int = 0
    looked_at: float = 0.0
    asked_at: float = 0.0
    told_at: float = 0.0
    states: dict[str, int] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        """Those at the centre who place, sign and rescue."""
        return self.house.desk

    def live(self) -> None:
        """Until every order has ended and every tale is told, or the days after the week are over."""
        while self.time.now() < self.ends and not self.is_over():
            self.firms.read_inbox()
            self.agenda.do_due(self.time.now)
            self.look_around()
            self.killer.look()
            self.pace.choose()
            time.sleep(BREATH_SECONDS)

    def is_over(self) -> bool:
        """Whether no call and no tale is left and nothing is open."""
        ended = {str(state) for state in ENDED}
        is_open = not self.states or any(count for state, count in self.states.items() if state not in ended)
        return not is_open and not self.director.running and not self.to_come

    def look_around(self) -> None:
        """The board, the workers' inboxes, the tales, often while something moves; sometimes a line is told."""
        now = time.monotonic()
        if now - self.looked_at < (LOOK_SECONDS if self.pace.settled else QUICK_LOOK_SECONDS):
            return
        self.looked_at = now
        self.desk.look_at_teams()
        self.pace.look(self.desk.offers)
        self.director.look()
        if now - self.asked_at > BOARD_SECONDS:
            self.asked_at = now
            self.desk.look_at_board()
            self.states = dict(self.desk.states)
            self.workers.look()
        if now - self.told_at >= TELL_SECONDS:
            self.told_at = now
            self.tell()

    def tell(self) -> None:
        """Where the week is."""
        states = ", ".join(f"{state} {count}" for state, count in sorted(self.states.items()))
        shown = self.time.now().astimezone(SHANGHAI)
        placed, running = self.story.counts["placed"], self.director.running
        print(f"{shown:%a %m-%d %H:%M} ×{self.time.rate:g} 已接 {placed} 途中 {running} | {states}", flush=True)
        for line in self.director.ledger.surprises[self.told :]:
            print(f"  意外 · surprise: {line}", flush=True)
        self.told = len(self.director.ledger.surprises)


def live(settings: Settings, plan: WeekPlan) -> int:
    """Live a week against the running installation of `settings.home`; returns the exit code.

    0: nothing lost, nothing twice, every built path as expected; 1: something is otherwise; 2: there is no demo here.
    """
    sheet = read_json(settings.home / FILE)
    if not sheet:
        print("没有演示社区 · no demo community here: dispatch up --demo")
        return EXIT_NO_DEMO
    community = make_community(date.fromisoformat(sheet["today"]), sheet["seed"])
    week = prepare(settings, plan, sheet, community)
    first_line = week.firms.read_until
    try:
        week.live()
    except KeyboardInterrupt:
        print("中断 · interrupted")
    finally:
        week.time.run(1.0)
    time.sleep(SETTLING_SECONDS)
    found = check(week.desk.wire, week.desk.dispatch_key, week.story, settings.home, first_line)
    return tell_end(week, plan, found)


def tell_end(week: Week, plan: WeekPlan, found: Findings) -> int:
    """The report and the table; the exit code."""
    print(f"一周结束 · the week is over (seed {plan.seed}, {plan.days} days, ×{plan.rate:g})")
    for line in (*lines(week.story, found, week.killer.kills, week.desk.wire.repeats), *week.director.ledger.lines()):
        print(line)
    short = week.director.ledger.short_of(max(1, plan.times * 5 // 6))
    for line in short:
        print(f"不足 · SHORT: {line}")
    return EXIT_WELL if found.is_kept and not short else EXIT_LOST


def prepare(settings: Settings, plan: WeekPlan, sheet: Mapping[str, Any], community: Community) -> Week:
    """Set the clock to the next Monday and note every call, every tale and the times of calling back."""
    begins = next_monday(read_clock(settings.owner_database_url).instant)
    clock = BusinessTime.start(settings.owner_database_url, begins, plan.rate)
    agenda, story, wire, keys = Agenda(), Story(plan.seed), Wire(sheet["base_url"]), sheet["api_keys"]
    passwords = {account["login"]: account["password"] for account in sheet["accounts"]}
    browsers = {login: Browser(wire, login, word, source_of(login)) for login, word in passwords.items()}
    desk = Desk(wire, keys["intake"], keys["dispatch"], clock, agenda, story, begins)
    firms = Firms(wire, settings.home, clock, agenda, story, desk.feed_back_later, source_of)
    firms.skip_old()
    house = House(wire, keys, community, desk, story, clock, browsers, firms)
    house.learn()
    clerk_logins = [one["login"] for one in sheet["accounts"] if one["role"] == "callback_clerk"]
    clerks = Clerks(wire, [browsers[login] for login in clerk_logins], desk, story, clock)
    workers = Workers(wire, community, passwords, desk, firms, source_of)
    director = Director(clock, agenda, Ledger())
    pace = Pace(clock, plan.rate, agenda, desk, story)
    killer = Killer(settings.home, plan.kill_every, story.chance("kill"))
    ends = begins + timedelta(days=plan.days + DAYS_AFTER)
    week = Week(clock, agenda, story, house, firms, workers, clerks, director, pace, killer, ends)
    note_everything(week, plan, begins)
    return week


def next_monday(instant: datetime) -> datetime:
    """The next Monday's midnight of Asia/Shanghai: the clock never goes back."""
    midnight = next_midnight(instant)
    return midnight + timedelta(days=-midnight.weekday() % 7)


def note_everything(week: Week, plan: WeekPlan, begins: datetime) -> None:
    """Put every call, tale and calling time on the agenda."""
    agenda = week.agenda

    def stream(part: str) -> Random:
        return Random(f"{plan.seed}:{part}")  # noqa: S311 - a week that can be lived again is the point

    for call in ordinary_calls(stream("calls"), begins, plan.days, plan.calls, week.house.community):
        week.to_come += 1
        agenda.at(begins + timedelta(minutes=call.minute), lambda call=call: answer(week, call))
    for cue in cues(stream("tales"), begins, plan.days, plan.times, week.house.community):
        week.to_come += 1
        agenda.at(begins + timedelta(minutes=cue.call.minute), lambda cue=cue: begin(week, cue))
    for days in range(1, plan.days + DAYS_AFTER):
        for moment in CALLING_TIMES:
            at = datetime.combine((begins.astimezone(SHANGHAI) + timedelta(days=days)).date(), moment, SHANGHAI)
            agenda.at(at, week.clerks.call_everybody)


def answer(week: Week, call: DraftCall) -> None:
    """One ordinary call."""
    week.to_come -= 1
    week.desk.place(call)


def begin(week: Week, cue: Cue) -> None:
    """The first step of a tale."""
    week.to_come -= 1
    case = Case(week.house, cue.call, cue.trial)
    week.director.begin(cue.plot.paths, cue.plot.tale(case), case.release)
