"""The staff of the demo: every role at its organisation, fixed log-in names, passwords of the seed."""

from dataclasses import dataclass
from random import Random

from dispatch.demo.grid import Grid
from dispatch.demo.identifiers import Phones, password
from dispatch.demo.names import staff_name
from dispatch.demo.organisations import CENTRE, COMMUNITY, DISTRICT
from dispatch.demo.performers import Performer
from dispatch.demo.teams import Team
from dispatch.rules.access.roles import Role

# role, first letters of the log-in name, organisation, up to which number
DESK: tuple[tuple[Role, str, str, int], ...] = (
    (Role.OPERATOR, "operator", CENTRE, 4),
    (Role.DISPATCHER, "dispatcher", CENTRE, 2),
    (Role.CALLBACK_CLERK, "callback", CENTRE, 2),
    (Role.CENTRE, "centre", CENTRE, 1),
    (Role.ADMIN, "admin", DISTRICT, 1),
)
# those who came later come last, so that everybody before them keeps name and password
TREASURY: tuple[tuple[Role, str, str, int], ...] = (
    (Role.ACCOUNTANT, "accountant", COMMUNITY, 2),
    (Role.WELFARE, "welfare", COMMUNITY, 1),
    (Role.KEEPER, "keeper", COMMUNITY, 3),
)
# the application of a manager's relative is written down by one and approved by two others
SECONDS: tuple[tuple[Role, str, str, int], ...] = (
    (Role.CENTRE, "centre", CENTRE, 2),
    (Role.WELFARE, "welfare", COMMUNITY, 2),
)
COUNSEL: tuple[tuple[Role, str, str, int], ...] = ((Role.COUNSELLOR, "counsellor", COMMUNITY, 1),)


@dataclass(frozen=True, slots=True)
class StaffMember:
    """A user: one role at one organisation, with a team (heads, performers) or an area (chiefs)."""

    login: str
    name: str
    password: str
    role: Role
    organisation_code: str
    team_code: str | None
    area_code: str | None
    phone: str


def make_staff(
    random: Random, grid: Grid, teams: tuple[Team, ...], workers: tuple[Performer, ...], phones: Phones
) -> tuple[StaffMember, ...]:
    """The desk, ten team heads, five area chiefs, a log-in for each team worker, the supermarket's people."""
    staff: list[StaffMember] = []

    def add(
        login: str,
        role: Role,
        place: str,
        name: str,
        phone: str,
        *,
        team: str | None = None,
        area: str | None = None,
    ) -> None:
        staff.append(StaffMember(login, name, password(random), role, place, team, area, phone))

    def add_all(rows: tuple[tuple[Role, str, str, int], ...], first: int = 1) -> None:
        for role, letters, organisation, count in rows:
            for number in range(first, count + 1):
                add(f"{letters}{number}", role, organisation, staff_name(random), phones.next())

    add_all(DESK)
    blocks = [team for team in teams if team.kind == "block"]
    for number, team in enumerate(blocks, start=1):
        add(f"teamhead{number:02}", Role.TEAM_HEAD, COMMUNITY, team.head_name, phones.next(), team=team.code)
    for area in grid.areas:
        add(f"chief{area.number}", Role.AREA_CHIEF, COMMUNITY, staff_name(random), phones.next(), area=area.code)
    for worker in workers:
        login = worker.login or worker.code
        add(login, Role.PERFORMER, COMMUNITY, worker.name, worker.phone, team=worker.team_code)
    add_all(TREASURY)
    add_all(SECONDS, first=2)
    add_all(COUNSEL)
    return tuple(staff)


def staff_with_logins(random: Random, performers: tuple[Performer, ...], phones: Phones) -> tuple[StaffMember, ...]:
    """The log-ins of helpers, or firms, who have one."""
    return tuple(
        StaffMember(one.login, one.name, password(random), Role.PERFORMER, COMMUNITY, None, None, phones.next())
        for one in performers
        if one.login is not None
    )
