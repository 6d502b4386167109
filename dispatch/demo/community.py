"""The whole demo community as one frozen value: same seed and day, same value."""

from dataclasses import dataclass
from datetime import date
from random import Random

from config.seed import Policy, ServiceKind, policies, service_kinds
from dispatch.demo.establishments import Establishment, make_establishments
from dispatch.demo.grid import Grid, make_grid
from dispatch.demo.identifiers import CreditCodes, Phones
from dispatch.demo.organisations import Organisation, organisations
from dispatch.demo.people import Register, make_register
from dispatch.demo.performers import Performer, make_firms
from dispatch.demo.staff import StaffMember, make_staff, staff_with_logins
from dispatch.demo.teams import Post, Team, Territory, make_posts, make_teams, make_territories
from dispatch.demo.workers import WorkResource, make_resources, make_team_workers

DEFAULT_SEED = 20_260_901


@dataclass(frozen=True, slots=True)
class Community:
    """What the demo is loaded from. Codes are unique within their kind and are what the parts refer to."""

    seed: int
    today: date
    organisations: tuple[Organisation, ...]
    services: tuple[ServiceKind, ...]
    policies: tuple[Policy, ...]
    grid: Grid
    register: Register
    establishments: tuple[Establishment, ...]
    teams: tuple[Team, ...]
    territories: tuple[Territory, ...]
    posts: tuple[Post, ...]
    firms: tuple[Performer, ...]
    team_workers: tuple[Performer, ...]
    helpers: tuple[Performer, ...]
    resources: tuple[WorkResource, ...]
    staff: tuple[StaffMember, ...]

    @property
    def performers(self) -> tuple[Performer, ...]:
        """Firms, team workers and helpers."""
        return self.firms + self.team_workers + self.helpers


def make_community(today: date, seed: int = DEFAULT_SEED) -> Community:
    """The community as of `today`: ages and papers' dates are counted from it.

    Each part draws from a stream of its own, so that a change of one leaves the others as they were.
    """

    def stream(part: str) -> Random:
        return Random(f"{seed}:{part}")  # noqa: S311 - a demo that is the same every time is the point

    codes = CreditCodes(stream("credit codes"))
    firm_phones, staff_phones = Phones(stream("firm phones"), "firm"), Phones(stream("staff phones"), "staff")
    grid = make_grid(stream("grid"))
    register = make_register(stream("people"), grid, today)
    establishments = make_establishments(stream("establishments"), grid, codes, firm_phones)
    teams = make_teams(stream("teams"), grid)
    workers = make_team_workers(stream("workers"), grid, teams, staff_phones)
    resources, helpers = make_resources(stream("resources"), grid, register, establishments, today)
    firms = make_firms(stream("firms"), grid, codes, firm_phones, today)
    return Community(
        seed=seed,
        today=today,
        organisations=organisations(),
        services=service_kinds(),
        policies=policies(),
        grid=grid,
        register=register,
        establishments=establishments,
        teams=teams,
        territories=make_territories(grid, today),
        posts=make_posts(stream("posts"), grid, register, establishments, today),
        firms=firms,
        team_workers=workers,
        helpers=helpers,
        resources=resources,
        staff=(
            *make_staff(stream("staff"), grid, teams, workers, staff_phones),
            *staff_with_logins(stream("log-ins of helpers"), helpers, staff_phones),
            *staff_with_logins(stream("log-ins of firms"), firms, staff_phones),
        ),
    )
