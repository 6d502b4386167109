"""Counsellors: appointed by the centre, each with the one-to-one services that they offer."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotAllowed
from dispatch.models.access import Membership, Organisation, User
from dispatch.models.care import Counsellor, CounsellorKind
from dispatch.models.catalogue import Service
from dispatch.rules.access.roles import Actor, Role
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import audit, reach
from dispatch.services.catalogue.kinds import seen_from
from dispatch.services.grid.build import demand_community

LONGEST_NAME = 40
ONE_TO_ONE = "one_to_one"


class AlreadyCounsellor(Conflict):
    """这个人已经是本社区的咨询师"""


def kinds_offered(session: Session, community_id: int, form: str = ONE_TO_ONE) -> Sequence[Service]:
    """The services of counselling of one type that are in use in a community, in the order of the catalogue."""
    query = select(Service).where(Service.form == form, Service.is_active, seen_from(community_id))
    return session.scalars(query.order_by(Service.popularity.desc(), Service.id)).all()


def appoint(
    session: Session,
    community_id: int,
    *,
    user_id: int,
    shown_as: str,
    institute: str,
    service_ids: Iterable[int],
    actor: Actor,
    now: datetime,
) -> Counsellor:
    """Make a user who holds the role a counsellor of a community; raises NotFound, Invalid, AlreadyCounsellor."""
    demand_community(actor, community_id)
    if session.execute(able(community_id).where(User.id == user_id)).first() is None:
        raise Invalid("user_id", "请先由管理员给这个人“咨询师”的角色")
    name, partner = check_text("shown_as", shown_as, LONGEST_NAME), check_text("institute", institute, LONGEST_NAME)
    if not name or not partner:
        raise Invalid("shown_as" if not name else "institute", "请写明对外的称呼和所属的机构")
    known = select(Counsellor).where(Counsellor.community_id == community_id, Counsellor.user_id == user_id)
    counsellor = session.scalars(known.with_for_update()).one_or_none()
    if counsellor is not None and counsellor.ended_at is None:
        raise AlreadyCounsellor
    if counsellor is None:
        counsellor = Counsellor(community_id=community_id, user_id=user_id, created_by=actor.user_id, created_at=now)
        session.add(counsellor)
    counsellor.shown_as, counsellor.institute, counsellor.ended_at = name, partner, None
    session.flush()
    offer_kinds(session, counsellor, service_ids)
    note(session, "appoint_counsellor", counsellor, actor=actor)
    return counsellor


def able(community_id: int) -> Select[int, str]:
    """Who can log in and holds the role of a counsellor at a community or above it: id and name."""
    path = select(func.unnest(Organisation.path)).where(Organisation.id == community_id)
    return (
        select(User.id, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(
            User.disabled_at.is_(None),
            Membership.role == Role.COUNSELLOR,
            Membership.organisation_id.in_(path),
        )
    )


def candidates(session: Session, community_id: int) -> Sequence[tuple[int, str]]:
    """Id and name of who holds the role and is no counsellor of the community now."""
    now = select(Counsellor.user_id).where(Counsellor.community_id == community_id, Counsellor.ended_at.is_(None))
    query = able(community_id).where(User.id.not_in(now)).distinct().order_by(User.name, User.id)
    return [(row.id, row.name) for row in session.execute(query)]


def offer_kinds(session: Session, counsellor: Counsellor, service_ids: Iterable[int]) -> None:
    """Let a counsellor offer exactly these services; raises Invalid for none, or one that is not one-to-one."""
    wanted = set(service_ids)
    known = {kind.id for kind in kinds_offered(session, counsellor.community_id)}
    if not wanted or wanted - known:
        raise Invalid("service_ids", "请至少选一项个体咨询的服务")
    session.execute(delete(CounsellorKind).where(CounsellorKind.counsellor_id == counsellor.id))
    about = {"counsellor_id": counsellor.id, "community_id": counsellor.community_id}
    session.execute(insert(CounsellorKind), [about | {"service_id": one} for one in sorted(wanted)])


def list_counsellors(session: Session, *, actor: Actor) -> Sequence[tuple[Counsellor, list[str]]]:
    """The counsellors of the reach who counsel now, with the names of what they offer. Two queries."""
    query = select(Counsellor).where(Counsellor.ended_at.is_(None), reach.visible(Counsellor, actor))
    found = session.scalars(query.order_by(Counsellor.id)).all()
    offered = (
        select(CounsellorKind.counsellor_id, Service.name)
        .join(Service, Service.id == CounsellorKind.service_id)
        .where(CounsellorKind.counsellor_id.in_([one.id for one in found]))
    )
    names: dict[int, list[str]] = {one.id: [] for one in found}
    for row in session.execute(offered.order_by(Service.popularity.desc(), Service.id)):
        names[row.counsellor_id].append(row.name)
    return [(one, names[one.id]) for one in found]


def owned(actor: Actor) -> Select[int]:
    """The counsellor that the actor is, as a part of queries: nobody's for everybody else, whatever their rights."""
    return select(Counsellor.id).where(
        Counsellor.user_id == actor.user_id, Counsellor.ended_at.is_(None), reach.visible(Counsellor, actor)
    )


def own(session: Session, *, actor: Actor) -> Counsellor:
    """The counsellor that the actor is; raises NotAllowed for everybody else, whatever their rights."""
    query = select(Counsellor).where(Counsellor.id.in_(owned(actor)))
    counsellor = session.scalars(query.order_by(Counsellor.id).limit(1)).one_or_none()
    if counsellor is None:
        raise NotAllowed("您还没有被聘为咨询师，请联系中心")
    return counsellor


def note(session: Session, deed: str, counsellor: Counsellor, *, actor: Actor) -> None:
    """The audit entry of what was done with a counsellor."""
    community_id = counsellor.community_id
    audit.record(session, f"care.{deed}", "counsellors", counsellor.id, actor=actor, community_id=community_id)
