"""Who does the work in the demo: the one shape of firms, team workers and helpers; and the 64 firms."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from dispatch.demo.grid import Grid
from dispatch.demo.identifiers import CreditCodes, Phones, webhook_secret
from dispatch.demo.names import staff_name
from dispatch.demo.trades import ROUND_THE_CLOCK, TRADES, Trade

FEWEST_FIRMS = 3
FEWEST_AREAS = 2
DROPS_AN_AREA = 0.35
NEAR_EXPIRY = 3
EXPIRED = 2
BUSINESS_LICENCE = "营业执照"
TOWN_RADIUS_DEGREES = 0.012
TOWN_MIDDLE = (28.455, 119.915)


@dataclass(frozen=True, slots=True)
class Paper:
    """A licence or certificate and its last valid day."""

    kind: str
    number: str
    valid_from: date
    valid_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Performer:
    """A firm, a team worker or a helper (`kind`: firm, team_worker, helper).

    `hours` are weekly shifts, "first weekday-last weekday from-until" with 1 = Monday. `channel` is webhook,
    email or app; `webhook_path` is under the demo inbox's address. `kinds` are codes of services, `areas` of
    areas where it is admitted. A firm has a `uscc`, a team worker a team and a `login` of its own, a helper a
    place in the register (`resident_code`); two firms and two helpers can log in as well.
    """

    code: str
    kind: str
    name: str
    contact_name: str | None = None
    phone: str
    channel: str
    email: str | None = None
    webhook_path: str | None = None
    webhook_secret: str | None = None
    uscc: str | None = None
    team_code: str | None = None
    login: str | None = None
    resident_code: str | None = None
    latitude: float
    longitude: float
    capacity: int
    hours: tuple[str, ...]
    satisfaction_permille: int
    kinds: tuple[str, ...]
    areas: tuple[str, ...]
    papers: tuple[Paper, ...] = ()

    def has_papers_on(self, day: date) -> bool:
        """Whether every paper is valid on the day."""
        return all(paper.valid_from <= day <= paper.valid_until for paper in self.papers)


FIRMS_WITH_LOGIN = ("housekeeping", "meal_delivery")
"""The first firm of each of these kinds can log in: what it does for elders is paid by service vouchers."""


def make_firms(random: Random, grid: Grid, codes: CreditCodes, phones: Phones, today: date) -> tuple[Performer, ...]:
    """64 firms; three papers expire within 30 days of `today`, two firms' papers have expired.

    Every kind that firms serve keeps at least three firms with valid papers in every area.
    """
    areas = tuple(area.code for area in grid.areas)
    firms: list[Performer] = []
    for trade in TRADES:
        for place, name in enumerate(trade.names):
            firm = _firm(random, f"F{len(firms) + 1:03}", trade, is_always_open=place < trade.always_open)
            papers = _papers(random, firm.code, trade, today)
            uscc, phone, full_name = codes.next("91"), phones.next(), f"{name}{trade.suffix}"
            firms.append(replace(firm, name=full_name, uscc=uscc, phone=phone, areas=areas, papers=papers))
    return _with_logins(_thinned(random, _with_old_papers(firms, today), areas, today))


def _with_logins(firms: list[Performer]) -> tuple[Performer, ...]:
    """The same, of whom the first of some kinds have a log-in."""
    first = [next(firm.code for firm in firms if kind in firm.kinds) for kind in FIRMS_WITH_LOGIN]
    logins = {code: f"firm{number}" for number, code in enumerate(first, start=1)}
    return tuple(replace(firm, login=logins.get(firm.code)) for firm in firms)


def _firm(random: Random, code: str, trade: Trade, *, is_always_open: bool) -> Performer:
    """A firm of the trade, still without name, numbers, areas and papers; every second one has a webhook."""
    has_webhook = int(code[1:]) % 2 == 1
    return Performer(
        code=code,
        kind="firm",
        name="",
        contact_name=staff_name(random),
        phone="",
        channel="webhook" if has_webhook else "email",
        email=f"{code.lower()}@firms.example",
        webhook_path=f"/{code.lower()}" if has_webhook else None,
        webhook_secret=webhook_secret(random) if has_webhook else None,
        latitude=round(TOWN_MIDDLE[0] + random.uniform(-TOWN_RADIUS_DEGREES, TOWN_RADIUS_DEGREES), 6),
        longitude=round(TOWN_MIDDLE[1] + random.uniform(-TOWN_RADIUS_DEGREES, TOWN_RADIUS_DEGREES), 6),
        capacity=random.randint(3, 8),
        hours=ROUND_THE_CLOCK if is_always_open else trade.hours,
        satisfaction_permille=random.randint(820, 985),
        kinds=trade.kinds,
        areas=(),
    )


def _papers(random: Random, code: str, trade: Trade, today: date) -> tuple[Paper, ...]:
    found = []
    for place, kind in enumerate((BUSINESS_LICENCE, *trade.papers), start=1):
        until = today + timedelta(days=random.randint(120, 1_500))
        since = today - timedelta(days=random.randint(200, 1_800))
        found.append(Paper(kind, f"演示{code}-{place}", since, until))
    return tuple(found)


def _with_old_papers(firms: list[Performer], today: date) -> list[Performer]:
    """Two firms of a large trade get an expired last paper, three one that expires soon."""
    last_days = [today - timedelta(days=9 * (place + 1)) for place in range(EXPIRED)]
    last_days += [today + timedelta(days=8 * (place + 1)) for place in range(NEAR_EXPIRY)]
    large = [firm for firm in firms if {"plumbing_electric", "housekeeping"} & set(firm.kinds)]
    step = len(large) // len(last_days)
    changed = {
        large[place * step].code: replace(large[place * step].papers[-1], valid_until=last_day)
        for place, last_day in enumerate(last_days)
    }
    return [
        replace(firm, papers=(*firm.papers[:-1], changed[firm.code])) if firm.code in changed else firm
        for firm in firms
    ]


def _thinned(random: Random, firms: list[Performer], areas: tuple[str, ...], today: date) -> list[Performer]:
    """Firms give up areas at random, while three firms with valid papers remain for each kind."""
    remaining = {
        (kind, area): sum(kind in firm.kinds and firm.has_papers_on(today) for firm in firms)
        for area in areas
        for kind in {kind for firm in firms for kind in firm.kinds}
    }
    thinned: list[Performer] = []
    for firm in firms:
        kept = list(areas)
        for area in areas:
            spare = all(remaining[kind, area] > FEWEST_FIRMS for kind in firm.kinds)
            if spare and len(kept) > FEWEST_AREAS and random.random() < DROPS_AN_AREA:
                kept.remove(area)
                for kind in firm.kinds:
                    remaining[kind, area] -= firm.has_papers_on(today)
        thinned.append(replace(firm, areas=tuple(kept)))
    return thinned
