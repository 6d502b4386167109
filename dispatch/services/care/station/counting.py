"""The counter: who came for which kind and what became of it; figures by kind, month and year."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import extract, func, select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.care import StationVisit
from dispatch.models.catalogue import Service
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor
from dispatch.rules.care import station as rule
from dispatch.rules.care.station import Ended
from dispatch.rules.orders.intake import check_text
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import orders
from dispatch.services.access import audit, reach
from dispatch.services.catalogue.kinds import seen_from
from dispatch.services.grid.build import demand_community

STATION, SOURCE = "station", "station"
MOST_SHOWN = 50
MONTHS = 12
FIRST_YEAR, LAST_YEAR = 2003, 2199


@dataclass(frozen=True, slots=True)
class Came:
    """Somebody at the counter; where somebody must go there, also what for, where to and whom to call."""

    service_id: int
    ended: Ended
    visitor: str = ""
    referred_to: str = ""
    description: str = field(default="", repr=False)
    address_text: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class KindCount:
    """How often people came for a kind: by the month of a year, and in the whole year."""

    kind: str
    months: tuple[int, ...]

    @property
    def year(self) -> int:
        """The sum of the months."""
        return sum(self.months)


def kinds(session: Session, community_id: int) -> Sequence[Service]:
    """The station's catalogue: the kinds of the one catalogue that are offered at it."""
    query = select(Service).where(Service.offered.contains([STATION]), Service.is_active, seen_from(community_id))
    return session.scalars(query.order_by(Service.popularity.desc(), Service.id)).all()


def note_visit(session: Session, community_id: int, came: Came, *, actor: Actor, now: datetime) -> StationVisit:
    """Count who came; where somebody must go, an order of the core is placed in the same step.

    Raises NotFound, Invalid naming the field.
    """
    demand_community(actor, community_id)
    if came.service_id not in {kind.id for kind in kinds(session, community_id)}:
        raise Invalid("service_id", "请选一项服务站的服务")
    referred = check_text("referred_to", came.referred_to, rule.LONGEST_NAME)
    if came.ended is Ended.REFERRED and not referred:
        raise Invalid("referred_to", "请写明转到哪里")
    visitor = check_text("visitor", came.visitor, rule.LONGEST_NAME)
    made = StationVisit(
        community_id=community_id,
        service_id=came.service_id,
        visitor=visitor,
        ended=str(came.ended),
        referred_to=referred if came.ended is Ended.REFERRED else None,
        order_id=order_for(session, came, visitor, actor=actor, now=now) if came.ended is Ended.ORDERED else None,
        created_by=actor.user_id,
        came_at=now,
    )
    session.add(made)
    session.flush()
    audit.record(session, "care.note_station_visit", "station_visits", made.id, actor=actor, community_id=community_id)
    return made


def order_for(session: Session, came: Came, visitor: str, *, actor: Actor, now: datetime) -> int:
    """The order by which somebody goes there; raises Invalid naming the field."""
    if not came.description.strip():
        raise Invalid("description", "要派人上门，请写清楚什么事")
    draft = orders.OrderDraft(
        description=came.description.strip(),
        service_id=came.service_id,
        address_text=came.address_text,
        caller_name=visitor or None,
        caller_phone=came.phone.strip() or None,
        source=SOURCE,
    )
    return orders.receive(session, draft, actor=actor, now=now).id


def latest(session: Session, *, actor: Actor) -> list[tuple[StationVisit, str, str | None]]:
    """Who came last in the reach, each with the kind and the order's number. One query."""
    query = (
        select(StationVisit, Service.name, Order.number)
        .join(Service, Service.id == StationVisit.service_id)
        .outerjoin(Order, Order.id == StationVisit.order_id)
        .where(reach.visible(StationVisit, actor))
        .order_by(StationVisit.came_at.desc(), StationVisit.id.desc())
        .limit(MOST_SHOWN)
    )
    return [(visit, name, number) for visit, name, number in session.execute(query)]


def figures(session: Session, year: int, *, actor: Actor) -> list[KindCount]:
    """How often people came in a year by kind, the most frequent kind first; raises Invalid. One query."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Invalid("year", "请填2003年以后的年份")
    local = func.timezone("Asia/Shanghai", StationVisit.came_at)
    begins = datetime(year, 1, 1, tzinfo=SHANGHAI)
    query = (
        select(Service.name, extract("month", local).label("month"), func.count())
        .join(Service, Service.id == StationVisit.service_id)
        .where(
            reach.visible(StationVisit, actor),
            StationVisit.came_at >= begins,
            StationVisit.came_at < begins.replace(year=year + 1),
        )
        .group_by(Service.name, "month")
    )
    by_kind: dict[str, list[int]] = {}
    for kind, month, count in session.execute(query):
        by_kind.setdefault(kind, [0] * MONTHS)[int(month) - 1] = count
    found = [KindCount(kind, tuple(months)) for kind, months in by_kind.items()]
    return sorted(found, key=lambda one: (-one.year, one.kind))
