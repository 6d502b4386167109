"""What a schedule of visits must hold before it is kept: resident, kind, rule, window, who visits."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.access import Organisation
from dispatch.models.catalogue import Performer, PerformerService, Service, Team
from dispatch.models.grid import Resident
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.recurrence import VisitRule, parse_rule
from dispatch.rules.orders.urgency import PRESSING, Urgency
from dispatch.services import catalogue, grid
from dispatch.services.access import reach

SHORTEST_WINDOW, LONGEST_WINDOW = 15, 1440
LONGEST_NOTE = 500
VISITORS = frozenset({"helper", "named"})
GIVEN_TO_VISITORS = frozenset({"named", "offer_one"})


@dataclass(frozen=True, slots=True)
class Visitors:
    """Who visits: one performer, or a team of which one is named for each visit."""

    performer_id: int | None
    team_id: int | None


def resident_in_reach(session: Session, resident_id: int, *, actor: Actor) -> Resident:
    """The resident of the register, held there until the transaction ends; a death that is told is waited for.

    Raises Invalid("resident_id") for one out of reach, gone or without a home.
    """
    resident = session.scalars(
        select(Resident)
        .where(Resident.id == resident_id, reach.visible(Resident, actor))
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if resident is None:
        raise Invalid("resident_id", "居民台账里没有这个人,请重新选择")
    if resident.left_at is not None:
        raise Invalid("resident_id", "这位居民已不在本社区,不能再安排上门")
    if grid.home_stairwell(session, resident.id) is None:
        raise Invalid("resident_id", "这位居民没有登记住址,请先在台账里补上")
    return resident


def desk_of(session: Session, community_id: int) -> int:
    """The organisation that takes the orders of a community's programmes: its district, else itself."""
    path = select(func.unnest(Organisation.path)).where(Organisation.id == community_id).scalar_subquery()
    districts = select(Organisation.id).where(Organisation.id.in_(path), Organisation.kind == "district")
    return session.scalars(districts.order_by(Organisation.id.desc()).limit(1)).one_or_none() or community_id


def visit_kind(session: Session, organisation_id: int, service_id: int | None, code: str | None) -> Service:
    """The kind, which must be one that is offered for visits; raises Invalid naming the field.

    For visits: a kind of the programmes, done by helpers or a named person, given by name or to one, and
    never a pressing one (an alarm is not planned).
    """
    service = catalogue.find_service(session, organisation_id, service_id=service_id, code=code)
    offered = (
        "programme" in service.offered
        and service.performer in VISITORS
        and service.given in GIVEN_TO_VISITORS
        and Urgency(service.urgency) not in PRESSING
    )
    if not offered or not service.is_active:
        field = "service_id" if service_id is not None else "service_code"
        raise Invalid(field, "这类服务不能用来安排上门探访,请重新选择")
    return service


def check_window(minutes: int) -> int:
    """The window's length in minutes; raises Invalid("window_minutes")."""
    if not SHORTEST_WINDOW <= minutes <= LONGEST_WINDOW:
        raise Invalid(
            "window_minutes", "上门时段请填%(least)s到%(most)s分钟", least=SHORTEST_WINDOW, most=LONGEST_WINDOW
        )
    return minutes


def check_rule(starts_at: datetime, rule: str, until: date | None, window_minutes: int, *, now: datetime) -> VisitRule:
    """The rule that is meant; raises Invalid naming the part, and DTSTART when the first window is over."""
    parsed = parse_rule(starts_at, rule, until)
    if parsed.starts_at + timedelta(minutes=window_minutes) <= now:
        raise Invalid("DTSTART", "开始时间已经过去,请填写今后的时间")
    return parsed


def check_visitors(session: Session, community_id: int, service: Service, visitors: Visitors, *, now: datetime) -> None:
    """One performer or one team, of this community, who does this kind; raises Invalid naming the field."""
    if (visitors.performer_id is None) == (visitors.team_id is None):
        raise Invalid("performer_id", "请指定一位执行人或一个团队,两者选一")
    if visitors.performer_id is not None:
        check_performer(session, community_id, service, visitors.performer_id, now=now)
    if visitors.team_id is not None:
        check_team(session, community_id, service, visitors.team_id)


def check_performer(session: Session, community_id: int, service: Service, performer_id: int, *, now: datetime) -> None:
    """The performer is active, of this community (or a firm of the district), and does this kind."""
    performer = session.scalars(
        select(Performer).where(
            Performer.id == performer_id,
            Performer.is_active,
            (Performer.community_id.is_(None)) | (Performer.community_id == community_id),
        )
    ).one_or_none()
    if performer is None:
        raise Invalid("performer_id", "没有这位执行人,请重新选择")
    if session.get(PerformerService, (performer_id, service.id)) is None:
        raise Invalid("performer_id", "这位执行人不做这项服务,请重新选择")
    if performer.suspended_until is not None and performer.suspended_until > now:
        raise Invalid("performer_id", "这位执行人已暂停派单")


def check_team(session: Session, community_id: int, service: Service, team_id: int) -> None:
    """The team is of this community and has somebody who does this kind."""
    found = session.scalars(select(Team.id).where(Team.id == team_id, Team.community_id == community_id))
    if found.one_or_none() is None:
        raise Invalid("team_id", "没有这个团队,请重新选择")
    if not members_for(session, team_id, service):
        raise Invalid("team_id", "这个团队里没有人做这项服务,请换一个团队或指定执行人")


def members_for(session: Session, team_id: int, service: Service) -> list[int]:
    """The active members of a team who do this kind, by rising id."""
    query = (
        select(Performer.id)
        .join(PerformerService, PerformerService.performer_id == Performer.id)
        .where(Performer.team_id == team_id, Performer.is_active, PerformerService.service_id == service.id)
        .order_by(Performer.id)
    )
    return list(session.scalars(query))
