"""A small world: a district with its centre, a community of one area with buildings, teams, kinds and firms."""

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from config.seed import policies as seed_policies
from dispatch.db import insert_rows
from dispatch.models.access import Organisation, Policy, User
from dispatch.models.catalogue import Coverage, Paper, Performer, PerformerService, Service, Team, Territory
from dispatch.models.grid import Area, Building, PlaceName, Stairwell
from dispatch.rules.access.roles import Actor, ActorKind, Right, Role, Scope
from tests.factories.access import make_organisation

NUMBERS = itertools.count(1)
ALWAYS_ON_SHIFT = {str(day): ["00:00-24:00"] for day in range(1, 8)}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class World:
    """The rows of a small world that tests speak of."""

    district: Organisation
    community: Organisation
    area: Area
    buildings: list[Building]
    stairwells: list[Stairwell]
    block: Team
    line: Team
    plumbing: Service
    gossip: Service
    firms: list[Performer]


def make_world(session: Session, *, firms: int = 3) -> World:
    """Make it; every firm serves both kinds in the whole community, on shift always, papers valid to 2099."""
    mark = next(NUMBERS)
    district = make_organisation(session, "district", name=f"莲都区{mark}")
    community = make_organisation(session, "community", district, name=f"后庆社区{mark}")
    set_policies(session, district)
    area = Area(community_id=community.id, number=1, name="一片区", latitude=28.455, longitude=119.915)
    session.add(area)
    session.flush()
    estate = PlaceName(community_id=community.id, name=f"后庆小区{mark}", kind="estate", area_id=area.id)
    session.add(estate)
    session.flush()
    buildings = [building(session, area, estate, str(number)) for number in (1, 2, 3)]
    stairwells = [stairwell(session, one, unit) for one in buildings for unit in ("1", "2")]
    block = team(session, community, "block", area=area)
    line = team(session, community, "line", speciality="drainage")
    for one in buildings:
        days = Range(date(2020, 1, 1), None)
        session.add(Territory(community_id=community.id, team_id=block.id, building_id=one.id, days=days))
    plumbing = service(session, district, "drain_clearing", speciality="drainage")
    gossip = service(session, district, "mediation")
    made = [firm(session, district, community, [plumbing, gossip]) for _ in range(firms)]
    session.flush()
    return World(district, community, area, buildings, stairwells, block, line, plumbing, gossip, made)


def set_policies(session: Session, organisation: Organisation, **values: Any) -> None:
    """The starting policies, with changes (dots in a key written as two underscores)."""
    changed = {key.replace("__", "."): value for key, value in values.items()}
    known = {policy.key: policy.value for policy in seed_policies()}
    same = {"organisation_id": organisation.id, "valid_from": LONG_AGO, "reason": "test"}
    insert_rows(session, Policy, [same | {"key": key, "value": value} for key, value in (known | changed).items()])


def building(session: Session, area: Area, estate: PlaceName, number: str) -> Building:
    """A building of an estate."""
    made = Building(
        community_id=area.community_id,
        area_id=area.id,
        estate_id=estate.id,
        number=number,
        address=f"{estate.name}{number}幢",
        latitude=28.455 + int(number) / 1000,
        longitude=119.915,
    )
    session.add(made)
    session.flush()
    return made


def stairwell(session: Session, building: Building, number: str) -> Stairwell:
    """A unit of a building."""
    made = Stairwell(
        community_id=building.community_id,
        building_id=building.id,
        number=number,
        code=f"{building.id}-{number}",
    )
    session.add(made)
    session.flush()
    return made


def team(
    session: Session,
    community: Organisation,
    kind: str,
    *,
    area: Area | None = None,
    speciality: str | None = None,
) -> Team:
    """A block or line team."""
    made = Team(
        community_id=community.id,
        kind=kind,
        code=f"{kind}-{next(NUMBERS)}",
        name=f"{'块状' if kind == 'block' else '条状'}团队{next(NUMBERS)}",
        area_id=area.id if area else None,
        speciality=speciality,
        head_name="队长",
    )
    session.add(made)
    session.flush()
    return made


def service(session: Session, district: Organisation, code: str, **changes: Any) -> Service:
    """A kind of order with ordinary limits."""
    values: dict[str, Any] = {
        "organisation_id": district.id,
        "code": code,
        "name": {"drain_clearing": "管道疏通"}.get(code, code),
        "group": "维修",
        "synonyms": ["下水道堵了"],
        "offered": ["hotline"],
        "questions": [],
        "performer": "firm",
        "given": "offer_one",
        "speciality": None,
        "urgency": "same_day",
        "civic_working_days": 5,
        "service_minutes": 480,
        "service_clock": "always",
        "arrive_minutes": 120,
        "sign_minutes": 120,
        "hold_minutes": 10,
        "signed_for": False,
        "callback": True,
        "in_figures": True,
        "confidential": False,
        "proof": [],
    }
    made = Service(**(values | changes))
    session.add(made)
    session.flush()
    return made


def service_of(session: Session, district: Organisation, code: str, **changes: Any) -> Service:
    """The district's kind of order of this code: made where it has none yet."""
    known = select(Service).where(Service.organisation_id == district.id, Service.code == code)
    return session.scalars(known).one_or_none() or service(session, district, code, **changes)


def firm(
    session: Session,
    district: Organisation,
    community: Organisation,
    services: list[Service],
    *,
    papers_until: date = date(2099, 12, 31),
    **changes: Any,
) -> Performer:
    """A firm of the district, admitted to the community."""
    number = next(NUMBERS)
    values: dict[str, Any] = {
        "uid": uuid4(),
        "organisation_id": district.id,
        "kind": "firm",
        "code": f"firm-{number}",
        "name": f"安心维修{number}号",
        "channel": "webhook",
        "webhook_url": "http://127.0.0.1:1/hook",
        "latitude": 28.456,
        "longitude": 119.916,
        "capacity": 5,
        "shifts": ALWAYS_ON_SHIFT,
        "satisfaction_permille": 900,
    }
    made = Performer(**(values | changes))
    session.add(made)
    session.flush()
    for one in services:
        session.add(PerformerService(performer_id=made.id, service_id=one.id))
    session.add(Coverage(performer_id=made.id, community_id=community.id))
    valid = {"valid_from": date(2020, 1, 1), "valid_until": papers_until}
    session.add(Paper(performer_id=made.id, kind="business_licence", number=str(number), **valid))
    session.flush()
    return made


def user(session: Session, name: str = "甲") -> User:
    """A user who cannot log in."""
    made = User(uid=uuid4(), login=f"user{next(NUMBERS)}", name=name, password_hash="-")
    session.add(made)
    session.flush()
    return made


def staff(session: Session, world: World, role: Role) -> Actor:
    """Somebody of this role at the district."""
    person = user(session)
    kinds = {
        Role.OPERATOR: ActorKind.OPERATOR,
        Role.DISPATCHER: ActorKind.DISPATCHER,
        Role.CALLBACK_CLERK: ActorKind.CALLBACK_CLERK,
        Role.TEAM_HEAD: ActorKind.TEAM,
        Role.CENTRE: ActorKind.CENTRE,
    }
    return Actor(
        kind=kinds.get(role, ActorKind.OPERATOR),
        user_id=person.id,
        organisation_id=world.district.id,
        roles=frozenset({role}),
        rights=frozenset(Right),
        scope=Scope(
            organisations=frozenset({world.district.id, world.community.id}),
            communities=frozenset({world.community.id}),
        ),
    )


def bump(session: Session, organisation: Organisation) -> None:
    """Say that grid and catalogue of an organisation changed, so that caches read anew."""
    session.execute(
        text(
            "UPDATE organisations SET grid_version = grid_version + 1, catalogue_version = catalogue_version + 1 "
            "WHERE id = :id"
        ),
        {"id": organisation.id},
    )
