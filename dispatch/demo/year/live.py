"""Living the year: one open day a week, the clock leaps between them; processes are killed, the end is told."""

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any

from config.settings import Settings
from dispatch.demo.clock import read_clock
from dispatch.demo.community import make_community
from dispatch.demo.credentials import DemoSecrets
from dispatch.demo.day.agenda import BusinessTime
from dispatch.demo.day.live import EXIT_LOST, EXIT_NO_DEMO, EXIT_WELL, source_of
from dispatch.demo.day.wire import Wire
from dispatch.demo.loading.aid import GROUNDS
from dispatch.demo.sheet import FILE
from dispatch.demo.year.campaigns import Campaigns
from dispatch.demo.year.counter import KEEPER_OF, Counter, Race
from dispatch.demo.year.errands import Errands
from dispatch.demo.year.giving import Donors
from dispatch.demo.year.keeping import Keeping
from dispatch.demo.year.milk import Milk
from dispatch.demo.year.screen import Screen
from dispatch.demo.year.shop import LOVE, OVERSEAS, Diary, Shop, Surprise
from dispatch.demo.year.treasury import Bank
from dispatch.demo.year.welfare import Welfare
from dispatch.rules.reports.periods import bounds_of_quarter, quarter_of
from dispatch.rules.shanghai import SHANGHAI
from dispatch.supervisor.home import read_json

OPENS = time_of_day(9, 30)
WEEK = timedelta(days=7)
RATE = 10.0
SETTLING_SECONDS, SETTLED_AT_MOST = 1.0, 40.0
KILLED = ("worker", "web", "sweep", "beat", "worker-2")
DIARY = "year.json"


@dataclass(frozen=True, slots=True)
class YearPlan:
    """How many weeks around the ends of quarters, gifts, hand-outs and races in all; a kill every so many days."""

    weeks: int = 55
    gifts: int = 2_000
    hand_outs: int = 6_000
    races: int = 100
    kill_every: int = 1
    seed: int = 1


@dataclass(slots=True)
class Year:
    """All who act, and the days on which they do."""

    shop: Shop
    plan: YearPlan
    settings: Settings
    begins: datetime
    donors: Donors
    counters: dict[str, Counter]
    race: Race
    keeping: Keeping
    errands: Errands
    campaigns: Campaigns
    bank: Bank
    welfare: Welfare
    kills: list[str] = field(default_factory=list)

    def live(self) -> None:
        """Every open day."""
        for week in range(self.plan.weeks):
            began = time.monotonic()
            self.shop.time.leap(self.begins + week * WEEK)
            self.open_day(week)
            self.tell(week, time.monotonic() - began)
            write(self)

    def open_day(self, week: int) -> None:
        """What a day of the shop has: keeping, giving, handing out, races, a kill, and the orders done."""
        self.settle()
        self.bank.look()
        self.welfare.look()
        self.keeping.look()
        self.serve(week)
        for kind in KEEPER_OF:
            self.keeping.shelve(kind)
        for deed in self.deeds_of(week):
            self.shop.attempt(deed)
        self.keeping.look()
        self.errands.work_off(self.donors.receive_fetched)
        self.keeping.look()
        self.errands.work_off(self.donors.receive_fetched)
        if week == self.plan.weeks // 4:
            self.shop.attempt(lambda: Milk.bought(self.shop, self.counters[LOVE]).try_everything())

    def deeds_of(self, week: int) -> list[Callable[[], None]]:
        """What happens once in the year, at a third, a half and two thirds of it."""
        weeks, campaigns = self.plan.weeks, self.campaigns
        when = ((weeks // 3, campaigns.relieve), (weeks // 2, campaigns.sell), (weeks * 2 // 3, campaigns.recall))
        return [deed for at, deed in when if at == week]

    def serve(self, week: int) -> None:
        """Donors and both counters at once, a kill among them, then the races for the last unit."""
        with ThreadPoolExecutor(3) as people:
            done = [
                people.submit(self.donors.give, share(self.plan.gifts, week, self.plan.weeks)),
                *(
                    people.submit(counter.serve, share(self.plan.hand_outs // 2, week, self.plan.weeks))
                    for counter in self.counters.values()
                ),
            ]
            self.kill(week)
            for one in done:
                one.result()
        for number in range(share(self.plan.races, week, self.plan.weeks)):
            cards = self.shop.chance("cards", week, number).sample(self.shop.cards, 2)
            self.race.run(number, (cards[0], cards[1]))

    def settle(self) -> None:
        """Let the jobs of the leap run: until what is open in the markets changes no more."""
        limit, before = time.monotonic() + SETTLED_AT_MOST, None
        while time.monotonic() < limit:
            shown = self.shop.read("/api/facilities")["items"]
            if shown == before:
                return
            before = shown
            time.sleep(SETTLING_SECONDS)

    def kill(self, week: int) -> None:
        """Kill one process by its number while people are at work."""
        if not self.plan.kill_every or week % self.plan.kill_every:
            return
        name = KILLED[week // self.plan.kill_every % len(KILLED)]
        processes: Mapping[str, Any] = read_json(self.settings.home / "processes.json")
        if name in processes:
            os.kill(int(processes[name]), signal.SIGKILL)
            self.kills.append(name)

    def tell(self, week: int, seconds: float) -> None:
        """Where the year is."""
        counts, shown = self.shop.diary.counts, self.shop.time.now().astimezone(SHANGHAI)
        done = f"捐赠 {counts['gifts']} 领取 {counts['hand-outs']} 销毁 {counts['disposals signed by two']}"
        print(f"{shown:%Y-%m-%d %H:%M} 第{week + 1}周 {done} ({seconds:.0f} s)", flush=True)


def share(whole: int, place: int, places: int) -> int:
    """The share of one of so many places; all of them together are the whole."""
    return whole * (place + 1) // places - whole * place // places


def live(settings: Settings, plan: YearPlan) -> int:
    """Live a year against the running installation of `settings.home`; returns the exit code.

    0: nothing was otherwise than it must be; 1: something was; 2: there is no demo here. What was done stands in
    HOME/year.json for whoever checks it.
    """
    sheet = read_json(settings.home / FILE)
    if not sheet:
        print("没有演示社区 · no demo community here: dispatch up --demo")
        return EXIT_NO_DEMO
    year = prepare(settings, plan, sheet)
    try:
        year.live()
    except Surprise as surprise:
        year.shop.diary.surprise(str(surprise))
    finally:
        year.shop.time.run(1.0)
        write(year)
    return tell_end(year)


def prepare(settings: Settings, plan: YearPlan, sheet: Mapping[str, Any]) -> Year:
    """Everybody at their place; the first day is a week before the end of a quarter."""
    begins = first_day(read_clock(settings.owner_database_url).instant)
    clock = BusinessTime.start(settings.owner_database_url, begins, RATE)
    wire, community = Wire(sheet["base_url"]), make_community(date.fromisoformat(sheet["today"]), sheet["seed"])
    secrets, people = DemoSecrets(settings.secret), sheet["accounts"]
    screens = {one["login"]: Screen(wire, one["login"], one["password"], source_of(one["login"])) for one in people}
    cards = [secrets.card_token(number) for number in range(sum(count for _, count, _ in GROUNDS))]
    mark = f"{begins:%Y%m%d}-{plan.seed}"
    shop = Shop(wire, sheet["api_keys"], community, clock, screens, cards, Diary(), plan.seed, mark)
    shop.learn()
    counters = {
        LOVE: Counter(shop, LOVE, screens["keeper1"], cards[::2]),
        OVERSEAS: Counter(shop, OVERSEAS, screens["keeper2"], cards[1::2]),
    }
    race = Race(shop, counters[LOVE], Counter(shop, LOVE, screens["keeper1"], cards))
    workers = tuple(one.login for one in community.team_workers if one.login and "lot_disposal" in one.kinds)
    errands = Errands(shop, settings.home, workers)
    errands.skip_old()
    rest = Campaigns(shop), Bank.opened(shop, date.fromisoformat(sheet["today"])), Welfare(shop)
    return Year(shop, plan, settings, begins, Donors(shop), counters, race, Keeping(shop), errands, *rest)


def first_day(instant: datetime) -> datetime:
    """The morning a week before the quarter of an instant ends, or tomorrow where that is over."""
    end = bounds_of_quarter(quarter_of(instant))[1].astimezone(SHANGHAI)
    day = max((end - WEEK).date(), instant.astimezone(SHANGHAI).date() + timedelta(days=1))
    return datetime.combine(day, OPENS, SHANGHAI)


def write(year: Year) -> None:
    """Keep what was done where a checker finds it."""
    diary = year.shop.diary
    kept = {
        "counts": dict(diary.counts),
        "given": diary.given,
        "surprises": diary.surprises,
        "kills": year.kills,
        "begins": year.begins.isoformat(),
        "community_id": year.shop.community_id,
    }
    (year.settings.home / DIARY).write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")


def tell_end(year: Year) -> int:
    """The table and the exit code."""
    diary = year.shop.diary
    print(f"一年结束 · the year is over (seed {year.plan.seed}, {year.plan.weeks} weeks, {len(year.kills)} kills)")
    for word, count in sorted(diary.counts.items()):
        print(f"  {word}: {count}")
    for line in diary.surprises:
        print(f"意外 · SURPRISE: {line}")
    return EXIT_LOST if diary.surprises else EXIT_WELL
