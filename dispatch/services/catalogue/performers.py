"""Performers: what they serve and when, where they are admitted, their papers; each change has a new version."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.catalogue import Coverage, Paper, Performer, PerformerService, Service
from dispatch.models.grid import Area, Resident
from dispatch.rules.access.roles import Actor
from dispatch.services.access import audit
from dispatch.services.access.reach import visible
from dispatch.services.catalogue.kinds import seen_from
from dispatch.services.catalogue.loading import NewPaper, NewPerformer, load_performers, performer_ids
from dispatch.services.catalogue.shifts import weekly
from dispatch.services.catalogue.versions import bump
from dispatch.services.grid.build import demand_community

MOST_AT_ONCE = 101
"""A page of a hundred, and one more to see whether another follows."""


class PerformerKnown(Conflict):
    """已经有这个编号的服务商或人员"""


class PaperKnown(Conflict):
    """这张证照已经登记过"""


class PerformerChanged(Conflict):
    """这位服务商的资料刚被别人改过,请刷新后再改"""


def is_firm(session: Session, performer_id: int | None) -> bool:
    """Whether a performer is a firm; nobody is none, and is not asked for."""
    if performer_id is None:
        return False
    query = select(Performer.id).where(Performer.id == performer_id, Performer.kind == "firm")
    return session.execute(query).first() is not None


def create_performer(session: Session, community_id: int, new: NewPerformer, *, actor: Actor) -> int:
    """Enter a firm, team worker or helper, admitted to a community; returns the id; audited.

    Raises NotFound out of reach, PerformerKnown for a code that is taken, Invalid("shifts", …).
    """
    demand_community(actor, community_id)
    weekly(new.shifts)
    if performer_ids(session, [new.code], [new.organisation_id]):
        raise PerformerKnown
    return load_performers(session, community_id, [new], actor=actor)[new.code]


def find_performer(session: Session, performer_id: int, *, actor: Actor) -> Performer:
    """A performer within reach; raises NotFound."""
    found = session.scalars(
        select(Performer).where(Performer.id == performer_id, visible(Performer, actor))
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def list_performers(
    session: Session,
    *,
    actor: Actor,
    kind: str | None = None,
    service_id: int | None = None,
    after: int = 0,
    limit: int = 50,
) -> Sequence[Performer]:
    """The performers in reach who are in use, by id, after an id; of one kind, or serving one service."""
    query = (
        select(Performer)
        .where(visible(Performer, actor), Performer.is_active, Performer.id > after)
        .order_by(Performer.id)
        .limit(min(limit, MOST_AT_ONCE))
    )
    if kind is not None:
        query = query.where(Performer.kind == kind)
    if service_id is not None:
        serving = select(PerformerService.performer_id).where(PerformerService.service_id == service_id)
        query = query.where(Performer.id.in_(serving))
    return session.scalars(query).all()


def add_paper(session: Session, performer_id: int, paper: NewPaper, *, actor: Actor) -> int:
    """Enter a licence or certificate, also the renewal of one; returns its id. Raises PaperKnown, Invalid."""
    performer = locked(session, performer_id, actor)
    if paper.valid_until < paper.valid_from:
        raise Invalid("valid_until", "有效期止不能早于有效期起")
    row = Paper(
        performer_id=performer_id,
        kind=paper.kind,
        number=paper.number,
        valid_from=paper.valid_from,
        valid_until=paper.valid_until,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise PaperKnown from error
    changed(session, performer, "catalogue.add_paper", actor, {"until": paper.valid_until.isoformat()})
    return row.id


def set_shifts(
    session: Session,
    performer_id: int,
    shifts: Mapping[str, Sequence[str]],
    *,
    version: int | None = None,
    actor: Actor,
) -> None:
    """Give a performer other weekly shifts, {"1": ["08:00-12:00"], …} with 1 for Monday.

    Raises Invalid("shifts" | "period", …), PerformerChanged for a stale version.
    """
    performer = locked(session, performer_id, actor, version)
    weekly(shifts)
    performer.shifts = {day: list(periods) for day, periods in shifts.items()}
    changed(session, performer, "catalogue.set_shifts", actor)


def set_capacity(
    session: Session, performer_id: int, capacity: int, *, version: int | None = None, actor: Actor
) -> None:
    """Say how many pieces of work a performer takes at once. Raises Invalid("capacity", …)."""
    performer = locked(session, performer_id, actor, version)
    if capacity < 1:
        raise Invalid("capacity", "同时接单数至少为1")
    performer.capacity = capacity
    changed(session, performer, "catalogue.set_capacity", actor, {"capacity": str(capacity)})


def set_resident(session: Session, performer_id: int, resident_id: int | None, *, actor: Actor) -> Performer:
    """Say who a helper or worker is in the register, or that they are not in it; they are found by it at a death.

    Raises NotFound for a firm, Invalid("resident_id", …) for nobody of the same community.
    """
    performer = locked(session, performer_id, actor)
    if performer.kind == "firm":
        raise NotFound
    same = (Resident.id == resident_id, Resident.community_id == performer.community_id, Resident.left_at.is_(None))
    if resident_id is not None and session.scalars(select(Resident.id).where(*same)).one_or_none() is None:
        raise Invalid("resident_id", "居民台账里没有这个人,请重新选择")
    performer.resident_id = resident_id
    changed(session, performer, "catalogue.set_resident", actor)
    return performer


def set_use(session: Session, performer: Performer, *, in_use: bool, actor: Actor) -> None:
    """Take somebody who has died out of use, or back where that was wrong."""
    performer.is_active = in_use
    changed(session, performer, "catalogue.use_again" if in_use else "catalogue.stand_down", actor)


def set_services(session: Session, performer_id: int, service_ids: Iterable[int], *, actor: Actor) -> None:
    """Say which kinds a performer serves, instead of those before. Raises Invalid("service_ids", …)."""
    performer = locked(session, performer_id, actor)
    wanted = sorted(set(service_ids))
    known = session.scalars(
        select(Service.id).where(Service.id.in_(wanted), seen_from(performer.organisation_id))
    ).all()
    if len(known) != len(wanted):
        raise Invalid("service_ids", "有的服务类别不存在,请重新选择")
    session.execute(delete(PerformerService).where(PerformerService.performer_id == performer_id))
    if wanted:
        rows = [{"performer_id": performer_id, "service_id": one} for one in wanted]
        session.execute(insert(PerformerService), rows)
    changed(session, performer, "catalogue.set_services", actor)


def set_coverage(
    session: Session,
    performer_id: int,
    community_id: int,
    cells: Iterable[tuple[int | None, int | None]],
    *,
    actor: Actor,
) -> None:
    """Admit a performer to cells of a community, instead of those before: (area or all, service or all).

    No cell takes the admission away. Raises NotFound, Invalid("area_id", …) for another community's area.
    """
    performer = locked(session, performer_id, actor)
    demand_community(actor, community_id)
    wanted = sorted(set(cells), key=str)
    areas = {area for area, _ in wanted if area is not None}
    own = session.scalars(select(Area.id).where(Area.id.in_(areas), Area.community_id == community_id)).all()
    if len(own) != len(areas):
        raise Invalid("area_id", "没有这个片区,请重新选择")
    session.execute(
        delete(Coverage).where(Coverage.performer_id == performer_id, Coverage.community_id == community_id)
    )
    rows = [
        {"performer_id": performer_id, "community_id": community_id, "area_id": area, "service_id": service}
        for area, service in wanted
    ]
    if rows:
        session.execute(insert(Coverage), rows)
    changed(session, performer, "catalogue.set_coverage", actor)
    bump(session, community_id)


def locked(session: Session, performer_id: int, actor: Actor, version: int | None = None) -> Performer:
    """A performer within reach, locked; raises NotFound, PerformerChanged for a stale version."""
    found = session.scalars(
        select(Performer)
        .where(Performer.id == performer_id, visible(Performer, actor))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound
    if version is not None and version != found.version:
        raise PerformerChanged
    return found


def changed(
    session: Session,
    performer: Performer,
    action: str,
    actor: Actor,
    fields: Mapping[str, str] | None = None,
    *,
    purpose: str | None = None,
) -> None:
    """Count a change of the facts that routing uses, for the performer and for the catalogue; audited."""
    performer.version += 1
    session.flush()
    bump(session, performer.organisation_id)
    audit.record(
        session,
        action,
        "performers",
        performer.id,
        actor=actor,
        community_id=performer.community_id,
        organisation_id=performer.organisation_id,
        fields=fields or {},
        purpose=purpose,
    )


def organisations_of_performers(session: Session) -> list[int]:
    """The organisations that hold performers in use."""
    query = select(Performer.organisation_id).where(Performer.is_active).distinct()
    return [*session.scalars(query.order_by(Performer.organisation_id))]
