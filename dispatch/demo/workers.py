"""Performers who are not firms: team workers with log-ins, helpers from the register; work resources."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from dispatch.demo.establishments import Establishment
from dispatch.demo.grid import Building, Grid
from dispatch.demo.identifiers import Phones
from dispatch.demo.names import staff_name
from dispatch.demo.people import Register, Resident
from dispatch.demo.performers import TOWN_MIDDLE, Performer
from dispatch.demo.teams import Team

WORKERS_PER_BLOCK_TEAM = 3
WORKER_HOURS = ("1-7 08:00-21:00",)
NIGHT_HOURS = ("1-7 00:00-24:00",)
# speciality of the line team → (how many workers, the kinds they perform)
BLOCK_KINDS: tuple[str, ...] = ("other_service", "noise", "parking")
LINE_WORKERS: dict[str, tuple[int, tuple[str, ...]]] = {
    "employment": (4, ("job_placement",)),
    "mediation": (10, ("noise", "property_complaint", "parking")),
    "elder": (5, ("device_recovery", "device_check", "care_visit", "return_visit", "greeting_call")),
    "charity": (3, ("lot_disposal",)),
}
OF_PAIRING = ("care_visit", "errands", "alarm", "parcel_delivery")
# kind of work resource, skill, how many per area, the kinds of order that they perform
HELPERS: tuple[tuple[str, str, int, tuple[str, ...]], ...] = (
    ("volunteer", "跑腿搬运", 12, ("errands", "pledge_fetch", "parcel_delivery", "greeting_call")),
    ("volunteer", "生活照料", 8, ("care_visit", "chore", "return_visit", "greeting_call", "alarm")),
    (
        "party_member",
        "结对帮扶",
        8,
        ("care_visit", "errands", "alarm", "parcel_delivery", "condolence_visit", "elder_transport"),
    ),
    ("volunteer", "理发", 4, ("home_haircut",)),
    ("artist", "文艺演出", 5, ()),
)
HELPER_HOURS = (("1-5 17:30-21:00", "6-7 08:00-20:00"), ("1-7 08:00-20:00",), ("1-5 08:00-18:00",))
PARTNER_UNITS = 10
HELPERS_WITH_LOGIN = 2
YOUNGEST_HELPER = 20
OLDEST_HELPER = 70
DAYS_OF_A_YEAR = 365.2425


@dataclass(frozen=True, slots=True)
class WorkResource:
    """A line of the fourth register (工作资源): a resident or a partner unit who can help.

    `kind`: party_member, volunteer, artist, partner_unit. `hours` are weekly; `performer_code` is None for
    those who are never sent on orders.
    """

    code: str
    kind: str
    resident_code: str | None
    unit_code: str | None
    name: str
    skills: tuple[str, ...]
    hours: tuple[str, ...]
    consented_on: date
    performer_code: str | None


def make_team_workers(random: Random, grid: Grid, teams: tuple[Team, ...], phones: Phones) -> tuple[Performer, ...]:
    """52 team workers: three in each block team, 22 in the line teams whose kinds are not for firms."""
    workers: list[Performer] = []
    for team in teams:
        count, kinds = WORKERS_PER_BLOCK_TEAM, BLOCK_KINDS
        if team.kind == "line":
            count, kinds = LINE_WORKERS.get(team.speciality or "", (0, ()))
        for place in range(count):
            awake = place == 0 and "noise" in kinds
            hours = NIGHT_HOURS if awake else WORKER_HOURS
            number = len(workers) + 1
            workers.append(_worker(random, number, team, grid, kinds=kinds, hours=hours, phone=phones.next()))
    return tuple(workers)


def _worker(
    random: Random,
    number: int,
    team: Team,
    grid: Grid,
    *,
    kinds: tuple[str, ...],
    hours: tuple[str, ...],
    phone: str,
) -> Performer:
    covered = [area for area in grid.areas if team.area_code in (area.code, None)]
    point = (covered[0].latitude, covered[0].longitude) if len(covered) == 1 else TOWN_MIDDLE
    return Performer(
        code=f"W{number:03}",
        kind="team_worker",
        name=staff_name(random),
        phone=phone,
        channel="app",
        team_code=team.code,
        login=f"worker{number:02}",
        latitude=point[0],
        longitude=point[1],
        capacity=random.randint(4, 6),
        hours=hours,
        satisfaction_permille=random.randint(850, 985),
        kinds=kinds,
        areas=tuple(area.code for area in covered),
    )


def make_resources(
    random: Random, grid: Grid, register: Register, establishments: tuple[Establishment, ...], today: date
) -> tuple[tuple[WorkResource, ...], tuple[Performer, ...]]:
    """The register of work resources (195), and the helpers among them as performers (160)."""
    resources: list[WorkResource] = []
    helpers: list[Performer] = []
    everywhere = tuple(area.code for area in grid.areas)
    pools = _able_by_area(random, grid, register, today)
    for area in grid.areas:
        for (kind, skill, _, kinds), (resident, building) in _helpers_of(pools[area.code]):
            hours = random.choice(HELPER_HOURS)
            code = f"V{len(helpers) + 1:03}" if kinds else None
            resources.append(
                WorkResource(
                    code=f"WR{len(resources) + 1:03}",
                    kind=kind,
                    resident_code=resident.code,
                    unit_code=None,
                    name=resident.name,
                    skills=(skill,),
                    hours=hours,
                    consented_on=today - timedelta(days=random.randint(20, 900)),
                    performer_code=code,
                )
            )
            if code is not None:
                covered = everywhere if "home_haircut" in kinds else (area.code,)
                helpers.append(_helper(random, code, resident, building, kinds=kinds, areas=covered, hours=hours))
    resources += _partner_units(random, establishments, today, first=len(resources) + 1)
    return tuple(resources), with_logins(helpers)


def with_logins(helpers: list[Performer]) -> tuple[Performer, ...]:
    """The same, of whom the first two who do every kind of visit can log in: to see their day and take their orders."""
    visitors = [one.code for one in helpers if "return_visit" in one.kinds][:HELPERS_WITH_LOGIN]
    logins = {code: f"helper{number}" for number, code in enumerate(visitors, start=1)}
    return tuple(replace(one, login=logins[one.code], channel="app") if one.code in logins else one for one in helpers)


def _partner_units(
    random: Random, establishments: tuple[Establishment, ...], today: date, first: int
) -> list[WorkResource]:
    units = random.sample([one for one in establishments if one.kind == "unit"], PARTNER_UNITS)
    return [
        WorkResource(
            code=f"WR{number:03}",
            kind="partner_unit",
            resident_code=None,
            unit_code=unit.code,
            name=unit.name,
            skills=("共建服务",),
            hours=HELPER_HOURS[2],
            consented_on=today - timedelta(days=random.randint(20, 900)),
            performer_code=None,
        )
        for number, unit in enumerate(units, start=first)
    ]


_Living = tuple[Resident, Building]


def _able_by_area(
    random: Random, grid: Grid, register: Register, today: date
) -> dict[str, tuple[list[_Living], list[_Living]]]:
    """Who can help, by area: party members, and all others; each in random order, with the building."""
    building_of_stairwell = {one.code: one.building_code for one in grid.stairwells}
    buildings = {one.code: one for one in grid.buildings}
    stairwell_of = {one.code: one.stairwell_code for one in register.households}
    pools: dict[str, tuple[list[_Living], list[_Living]]] = {area.code: ([], []) for area in grid.areas}
    for resident in random.sample(register.residents, len(register.residents)):
        age = (today - resident.birth_date).days / DAYS_OF_A_YEAR
        if resident.phone is None or not YOUNGEST_HELPER <= age <= OLDEST_HELPER:
            continue
        building = buildings[building_of_stairwell[stairwell_of[resident.household_code]]]
        pools[building.area_code][0 if resident.party_member else 1].append((resident, building))
    return pools


def _helpers_of(
    pool: tuple[list[_Living], list[_Living]],
) -> Iterator[tuple[tuple[str, str, int, tuple[str, ...]], _Living]]:
    members, others = iter(pool[0]), iter(pool[1])
    for sort in HELPERS:
        for _ in range(sort[2]):
            yield sort, next(members if sort[0] == "party_member" else others)


def _helper(
    random: Random,
    code: str,
    resident: Resident,
    building: Building,
    *,
    kinds: tuple[str, ...],
    areas: tuple[str, ...],
    hours: tuple[str, ...],
) -> Performer:
    return Performer(
        code=code,
        kind="helper",
        name=resident.name,
        phone=resident.phone or "",
        channel="email",
        email=f"{code.lower()}@helpers.example",
        resident_code=resident.code,
        latitude=building.latitude,
        longitude=building.longitude,
        capacity=random.randint(1, 3),
        hours=hours,
        satisfaction_permille=random.randint(880, 990),
        kinds=kinds,
        areas=areas,
    )
