"""Loading kinds, teams, territories and performers of a whole community at once; what is there already stays."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import Range, insert
from sqlalchemy.orm import Session

from dispatch.models.catalogue import Coverage, Paper, Performer, PerformerService, Service, Team, Territory
from dispatch.rules.access.roles import Actor
from dispatch.rules.catalogue.levels import read_levels
from dispatch.services.access import audit, vault
from dispatch.services.catalogue.kinds import seen_from
from dispatch.services.catalogue.versions import bump


@dataclass(frozen=True, slots=True)
class NewTeam:
    """A block team of an area, or a line team of a speciality."""

    code: str
    name: str
    kind: str
    area_id: int | None
    speciality: str | None
    head_name: str


@dataclass(frozen=True, slots=True)
class NewTerritory:
    """A building belongs to a block team from a day on."""

    team_code: str
    building_id: int
    since: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPaper:
    """A licence or certificate."""

    kind: str
    number: str
    valid_from: date
    valid_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerformer:
    """A firm, team worker or helper; `organisation_id` is the district's for a firm, else the community's.

    `areas` are the ids where it is admitted, None for the whole community; `shifts` in their stored form;
    `resident_id` is who a person is in the register of the community, where that is known.
    """

    uid: UUID
    organisation_id: int
    community_id: int | None
    kind: str
    code: str
    name: str
    uscc: str | None
    team_id: int | None
    user_id: int | None
    phone: str | None = field(repr=False)
    email: str | None = field(repr=False)
    webhook_url: str | None
    webhook_secret: str | None = field(repr=False)
    channel: str
    latitude: float
    longitude: float
    capacity: int
    shifts: Mapping[str, Sequence[str]]
    satisfaction_permille: int
    service_codes: tuple[str, ...]
    areas: tuple[int, ...] | None
    papers: tuple[NewPaper, ...]
    resident_id: int | None = None


def service_ids(session: Session, organisation_id: int) -> dict[str, int]:
    """The id of each kind that an organisation owns, by code."""
    query = select(Service.code, Service.id).where(Service.organisation_id == organisation_id)
    return dict(session.execute(query).all())


def load_services(
    session: Session, organisation_id: int, rows: Sequence[Mapping[str, Any]], *, actor: Actor
) -> dict[str, int]:
    """Insert the kinds (rows by column) whose codes are new there; returns the id of each code.

    Raises Invalid("escalation_levels", …) for levels that cannot be told one after the other.
    """
    known = service_ids(session, organisation_id)
    fresh = [{**row, "organisation_id": organisation_id} for row in rows if row["code"] not in known]
    for row in fresh:
        if row.get("escalation_levels") is not None:
            read_levels(row["escalation_levels"])
    if fresh:
        session.execute(insert(Service), fresh)
        bump(session, organisation_id)
        note(session, "catalogue.load_services", "services", organisation_id, len(fresh), actor=actor)
    return service_ids(session, organisation_id)


def team_ids(session: Session, community_id: int) -> dict[str, int]:
    """The id of each team of a community by code."""
    query = select(Team.code, Team.id).where(Team.community_id == community_id)
    return dict(session.execute(query).all())


def load_teams(
    session: Session,
    community_id: int,
    teams: Sequence[NewTeam],
    territories: Sequence[NewTerritory],
    *,
    actor: Actor,
) -> dict[str, int]:
    """Insert a community's teams and the buildings of its block teams, once; returns the id of each code."""
    if not team_ids(session, community_id):
        session.execute(
            insert(Team),
            [asdict(one) | {"community_id": community_id} for one in teams],
        )
        ids = team_ids(session, community_id)
        session.execute(
            insert(Territory),
            [
                {
                    "community_id": community_id,
                    "team_id": ids[one.team_code],
                    "building_id": one.building_id,
                    "days": Range(one.since, None),
                }
                for one in territories
            ],
        )
        bump(session, community_id)
        note(session, "catalogue.load_teams", "teams", community_id, len(teams), actor=actor)
    return team_ids(session, community_id)


def performer_ids(
    session: Session, codes: Iterable[str] | None = None, organisation_ids: Iterable[int] | None = None
) -> dict[str, int]:
    """The id of each performer by code; only these codes, and only of these organisations, when named."""
    query = select(Performer.code, Performer.id)
    if codes is not None:
        query = query.where(Performer.code.in_(sorted(codes)))
    if organisation_ids is not None:
        query = query.where(Performer.organisation_id.in_(sorted(organisation_ids)))
    return dict(session.execute(query).all())


def load_performers(
    session: Session, community_id: int, rows: Sequence[NewPerformer], *, actor: Actor
) -> dict[str, int]:
    """Insert performers with their kinds, cover and papers, once; returns the id of each code.

    All of them are admitted to `community_id`. Phones, addresses and secrets are sealed.
    """
    owners = {one.organisation_id for one in rows}
    known = performer_ids(session, [one.code for one in rows], owners)
    fresh = [one for one in rows if one.code not in known]
    if fresh:
        session.execute(insert(Performer), [performer_row(one) for one in fresh])
        ids = performer_ids(session, [one.code for one in fresh], owners)
        insert_parts(session, community_id, fresh, ids)
        for organisation_id in sorted({one.organisation_id for one in fresh}):
            bump(session, organisation_id)
            note(session, "catalogue.load_performers", "performers", organisation_id, len(fresh), actor=actor)
    return performer_ids(session, [one.code for one in rows], owners)


def performer_row(one: NewPerformer) -> dict[str, Any]:
    """A performer as a row."""
    return {
        "uid": one.uid,
        "organisation_id": one.organisation_id,
        "community_id": one.community_id,
        "kind": one.kind,
        "code": one.code,
        "name": one.name,
        "uscc": one.uscc,
        "team_id": one.team_id,
        "user_id": one.user_id,
        "resident_id": one.resident_id,
        "phone": sealed("phone", one.uid, one.phone),
        "email": sealed("email", one.uid, one.email),
        "webhook_url": one.webhook_url,
        "webhook_secret": sealed("webhook_secret", one.uid, one.webhook_secret),
        "channel": one.channel,
        "latitude": one.latitude,
        "longitude": one.longitude,
        "capacity": one.capacity,
        "shifts": {day: list(periods) for day, periods in one.shifts.items()},
        "satisfaction_permille": one.satisfaction_permille,
    }


def sealed(column: str, uid: UUID, value: str | None) -> bytes | None:
    """A sealed column of a performer, None for none."""
    return vault.seal(f"performers.{column}.{uid}", value) if value else None


def insert_parts(session: Session, community_id: int, rows: Sequence[NewPerformer], ids: Mapping[str, int]) -> None:
    """Insert what performers serve, where they are admitted, and their papers."""
    services = dict(session.execute(select(Service.code, Service.id).where(seen_from(community_id))).all())
    served = [
        {"performer_id": ids[one.code], "service_id": services[code]} for one in rows for code in one.service_codes
    ]
    covered: list[dict[str, Any]] = []
    for one in rows:
        areas: tuple[int | None, ...] = (None,) if one.areas is None else one.areas
        covered += [{"performer_id": ids[one.code], "community_id": community_id, "area_id": area} for area in areas]
    papers = [
        {
            "performer_id": ids[one.code],
            "kind": paper.kind,
            "number": paper.number,
            "valid_from": paper.valid_from,
            "valid_until": paper.valid_until,
        }
        for one in rows
        for paper in one.papers
    ]
    for model, values in ((PerformerService, served), (Coverage, covered), (Paper, papers)):
        if values:
            session.execute(insert(model), values)


def move_webhooks(session: Session, addresses: Mapping[str, str]) -> int:
    """Give performers (by code) the new addresses of their webhooks; returns how many changed."""
    changed = 0
    for code, address in addresses.items():
        moved = (
            update(Performer)
            .where(Performer.code == code, Performer.webhook_url != address)
            .values(webhook_url=address, version=Performer.version + 1)
            .returning(Performer.organisation_id)
        )
        changed += len(session.scalars(moved).all())
    return changed


def has_territories(session: Session, community_id: int) -> bool:
    """Whether the buildings of a community belong to teams."""
    query = select(exists().where(Territory.community_id == community_id))
    return bool(session.execute(query).scalar_one())


def note(session: Session, action: str, table: str, organisation_id: int, count: int, *, actor: Actor) -> None:
    """One audit entry for a whole load: how many rows of which table."""
    fields = {"rows": str(count)}
    audit.record(session, action, table, None, actor=actor, organisation_id=organisation_id, fields=fields)
