"""Block teams with their buildings, line teams, and the posts of the grid with their holders."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from config.seed import line_teams
from dispatch.demo.establishments import Establishment
from dispatch.demo.grid import Grid
from dispatch.demo.names import staff_name
from dispatch.demo.people import ADULT_AGE, Register, Resident

BLOCK_TEAMS_PER_AREA = 2
STAIRWELL_LIAISONS = 40
OLDEST_LEADER = 78
DAYS_OF_A_YEAR = 365.2425


@dataclass(frozen=True, slots=True)
class Team:
    """A service team: `kind` is "block" (owns buildings, in `area_code`) or "line" (owns `speciality`)."""

    code: str
    name: str
    kind: str
    area_code: str | None
    speciality: str | None
    head_name: str


@dataclass(frozen=True, slots=True)
class Territory:
    """A building belongs to a block team from a day on."""

    team_code: str
    building_code: str
    from_date: date


@dataclass(frozen=True, slots=True)
class Post:
    """A post of the grid and who holds it.

    `kind`: area_chief 片长, group_leader 小组长, stairwell_leader 楼道长, partner_liaison 共建单位联络员 with
    its unit, stairwell_liaison 楼道联络员. `scope_code` is the area, building or stairwell. The holder is a
    resident or, for area chiefs, a member of the staff (`login`).
    """

    kind: str
    scope_code: str
    resident_code: str | None
    login: str | None
    unit_code: str | None
    from_date: date


def make_teams(random: Random, grid: Grid) -> tuple[Team, ...]:
    """Ten block teams, two per area, then the 24 line teams."""
    blocks = [
        Team(f"T-{area.code}-{half}", f"{area.name}第{word}块队", "block", area.code, None, staff_name(random))
        for area in grid.areas
        for half, word in ((1, "一"), (2, "二"))
    ]
    lines = [Team(f"T-{line.code}", line.name, "line", None, line.code, staff_name(random)) for line in line_teams()]
    return tuple(blocks + lines)


def make_territories(grid: Grid, today: date) -> tuple[Territory, ...]:
    """Every building to exactly one block team of its area: the first half of the codes, and the second."""
    since = date(today.year - 1, 1, 1)
    found: list[Territory] = []
    for area in grid.areas:
        own = [building for building in grid.buildings if building.area_code == area.code]
        for place, building in enumerate(own):
            half = 1 if place < len(own) / BLOCK_TEAMS_PER_AREA else 2
            found.append(Territory(f"T-{area.code}-{half}", building.code, since))
    return tuple(found)


def make_posts(
    random: Random, grid: Grid, register: Register, establishments: tuple[Establishment, ...], today: date
) -> tuple[Post, ...]:
    """Every post held: 5 area chiefs, 132 group leaders, 610 stairwell leaders, contacts of partner units."""
    by_stairwell = _grown_up(register, today)
    posts = [
        Post("area_chief", area.code, None, f"chief{place}", None, _since(random, today))
        for place, area in enumerate(grid.areas, start=1)
    ]
    by_building: dict[str, list[Resident]] = {}
    for stairwell in grid.stairwells:
        by_building.setdefault(stairwell.building_code, []).extend(by_stairwell[stairwell.code])
        holder = random.choice(by_stairwell[stairwell.code])
        posts.append(_held("stairwell_leader", stairwell.code, holder, _since(random, today)))
    for building in grid.buildings:
        holder = random.choice(by_building[building.code])
        posts.append(_held("group_leader", building.code, holder, _since(random, today)))
    for stairwell in random.sample(grid.stairwells, STAIRWELL_LIAISONS):
        holder = random.choice(by_stairwell[stairwell.code])
        posts.append(_held("stairwell_liaison", stairwell.code, holder, _since(random, today)))
    return tuple(posts + _partner_liaisons(random, grid, by_building, establishments, today))


def _partner_liaisons(
    random: Random,
    grid: Grid,
    by_building: dict[str, list[Resident]],
    establishments: tuple[Establishment, ...],
    today: date,
) -> list[Post]:
    area_of = {building.code: building.area_code for building in grid.buildings}
    posts: list[Post] = []
    for area in grid.areas:
        own = [one for one in establishments if area_of[one.building_code] == area.code]
        units = [one for one in own if one.kind == "unit"]
        neighbours = [one for code in by_building if area_of[code] == area.code for one in by_building[code]]
        for unit in random.sample(units, 2):
            holder = random.choice(neighbours)
            posts.append(Post("partner_liaison", area.code, holder.code, None, unit.code, _since(random, today)))
    return posts


def _held(kind: str, scope_code: str, holder: Resident, since: date) -> Post:
    return Post(kind, scope_code, holder.code, None, None, since)


def _since(random: Random, today: date) -> date:
    return today - timedelta(days=random.randint(30, 1_400))


def _grown_up(register: Register, today: date) -> dict[str, list[Resident]]:
    """Residents who can hold a post, by stairwell; where all are older, the household's head."""
    stairwell_of = {one.code: one.stairwell_code for one in register.households}
    able: dict[str, list[Resident]] = {}
    heads: dict[str, list[Resident]] = {}
    for resident in register.residents:
        stairwell = stairwell_of[resident.household_code]
        age = (today - resident.birth_date).days / DAYS_OF_A_YEAR
        if ADULT_AGE < age <= OLDEST_LEADER:
            able.setdefault(stairwell, []).append(resident)
        if resident.relation == "户主":
            heads.setdefault(stairwell, []).append(resident)
    return {stairwell: able.get(stairwell) or people for stairwell, people in heads.items()}
