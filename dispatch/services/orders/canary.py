"""The canary: an order every minute through the real services, in a hidden community with a firm of its own."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import uuid4

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.models.access import Organisation
from dispatch.models.catalogue import Coverage, Paper, Performer, PerformerService, Service, Team, Territory
from dispatch.models.grid import Area, Building, Stairwell
from dispatch.models.notify import Notice
from dispatch.models.orders import Offer, Order
from dispatch.queue import Job
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.orders.states import OPEN, OrderState
from dispatch.rules.queue import Lane
from dispatch.services import notify
from dispatch.services.access import audit
from dispatch.services.orders.draft import OrderDraft
from dispatch.services.orders.hand import void
from dispatch.services.orders.offers import OfferLapsed, accept, arrive, finish
from dispatch.services.orders.place import place
from dispatch.services.orders.steps import lock
from dispatch.services.orders.work import WorkReport, feed_back

CODE = "canary"
ORIGIN = "system.canary"
CHECK_AFTER = timedelta(seconds=30)
LATE = "canary_late"
ONE_MAKER = text("SELECT pg_advisory_xact_lock(hashtext('canary.community'))")
DELETE_ORDERS = text("SELECT delete_canary_orders(:before, :most)")
DELETE_PERIODS = text("SELECT delete_canary_periods(:before, :most)")
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)
ROUND_THE_CLOCK = {str(weekday): ["00:00-24:00"] for weekday in range(1, 8)}
MIDDLE = (28.455, 119.915)


@dataclass(frozen=True, slots=True)
class Nest:
    """Where the canary lives: its hidden community, its kind of order and its one stairwell."""

    community_id: int
    organisation_id: int
    service_id: int
    stairwell_id: int


def ensure_canary(session: Session) -> Nest | None:
    """The canary's community with one firm, made at the first call; None while there is no kind `canary` yet."""
    service = session.scalars(
        select(Service).where(Service.code == CODE, Service.is_active).order_by(Service.id).limit(1)
    ).one_or_none()
    if service is None:
        return None
    nest = known_nest(session, service)
    if nest is None:
        session.execute(ONE_MAKER)
        nest = known_nest(session, service) or make_nest(session, service)
    return nest


def known_nest(session: Session, service: Service) -> Nest | None:
    """The nest that was made before."""
    row = session.execute(
        select(Stairwell.community_id, Stairwell.id)
        .join(Organisation, Organisation.id == Stairwell.community_id)
        .where(Organisation.code == CODE, Organisation.is_hidden)
        .limit(1)
    ).one_or_none()
    return None if row is None else Nest(row.community_id, service.organisation_id, service.id, row.id)


def make_nest(session: Session, service: Service) -> Nest:
    """Make the hidden community: one area, building and stairwell, one block team, one firm of the app."""
    above = session.get_one(Organisation, service.organisation_id)
    community = Organisation(parent_id=above.id, kind="community", code=CODE, name="探针", path=[], is_hidden=True)
    session.add(community)
    session.flush()
    community.path = [*above.path, community.id]
    stairwell = make_grid(session, community.id)
    make_firm(session, community.id, above.id, service)
    audit.record(session, "orders.make_canary", "organisations", community.id, actor=SYSTEM)
    session.flush()
    return Nest(community.id, above.id, service.id, stairwell.id)


def make_grid(session: Session, community_id: int) -> Stairwell:
    """One cell of each level, and the block team that owns it."""
    latitude, longitude = MIDDLE
    area = Area(community_id=community_id, number=1, name="探针片区", latitude=latitude, longitude=longitude)
    session.add(area)
    session.flush()
    building = Building(
        community_id=community_id,
        area_id=area.id,
        number="1",
        address="探针1幢",
        latitude=latitude,
        longitude=longitude,
    )
    team = Team(community_id=community_id, kind="block", code=CODE, name="探针团队", area_id=area.id, head_name="探针")
    session.add_all([building, team])
    session.flush()
    stairwell = Stairwell(community_id=community_id, building_id=building.id, number="1", code=CODE)
    days = Range(FIRST_DAY, None)
    session.add_all(
        [
            stairwell,
            Territory(community_id=community_id, team_id=team.id, building_id=building.id, days=days),
        ]
    )
    session.flush()
    return stairwell


def make_firm(session: Session, community_id: int, organisation_id: int, service: Service) -> None:
    """The canary's own firm: always on shift, reached in the house, serving only this kind in this community."""
    firm = Performer(
        uid=uuid4(),
        organisation_id=organisation_id,
        community_id=community_id,
        kind="firm",
        code=CODE,
        name="探针服务商",
        channel="app",
        latitude=MIDDLE[0],
        longitude=MIDDLE[1],
        capacity=10_000,
        shifts=ROUND_THE_CLOCK,
        satisfaction_permille=1000,
    )
    session.add(firm)
    session.flush()
    session.add_all(
        [
            PerformerService(performer_id=firm.id, service_id=service.id),
            Coverage(performer_id=firm.id, community_id=community_id),
            Paper(performer_id=firm.id, kind=CODE, number="1", valid_from=FIRST_DAY, valid_until=LAST_DAY),
        ]
    )


def place_canary(session: Session, period: str, *, now: datetime) -> Order | None:
    """Place the canary order of a minute and the job that looks for it; None while there is no kind `canary`."""
    nest = ensure_canary(session)
    if nest is None:
        return None
    draft = OrderDraft(
        description="探针",
        service_id=nest.service_id,
        stairwell_id=nest.stairwell_id,
        source="system",
        origin=ORIGIN,
        origin_id=nest.community_id,
        occasion=period,
        organisation_id=nest.organisation_id,
        is_canary=True,
    )
    order = place(session, draft, actor=SYSTEM, now=now)
    queue.enqueue(
        session,
        "system.canary_check",
        lane=Lane.DEADLINE,
        reference=order.id,
        run_at=now + CHECK_AFTER,
        dedupe=f"system.canary_check:{order.id}",
    )
    return order


def check_canary(session: Session, order_id: int, *, now: datetime) -> bool:
    """Look for a canary order: routed and noticed, it is accepted and finished by the same services (True).

    One that did not come so far raises the alarm canary_late and is ended, so that it is no case for the desk.
    """
    order = lock(session, order_id)
    token = token_of(session, order)
    if order.state == OrderState.OFFERED and token is not None and taken(session, token, now=now):
        arrive(session, token, now=now)
        finish(session, token, WorkReport(result="done"), now=now)
        order = lock(session, order_id)
        if order.state == OrderState.FINISHED:
            feed_back(session, order, answer="探针", actor=SYSTEM, now=now)
        notify.clear_alarms(session, subject=CODE, kinds=(LATE,), now=now)
        return True
    if OrderState(order.state) not in OPEN:
        return True
    state = order.state
    void(session, order, reason="探针未按时送达", actor=SYSTEM, now=now)
    seconds = int((now - order.created_at).total_seconds())
    facts = {"state": state, "seconds": seconds}
    notify.raise_alarm(
        session,
        kind=LATE,
        subject=CODE,
        level="emergency",
        organisation_id=order.organisation_id,
        facts=facts,
    )
    return False


def taken(session: Session, token: str, *, now: datetime) -> bool:
    """Accept the offer of a link; False when its time was over before anybody looked."""
    try:
        accept(session, token, now=now)
    except OfferLapsed:
        return False
    return True


def token_of(session: Session, order: Order) -> str | None:
    """The link token of the notice with which the order's open round was told; None when none was delivered."""
    notice = session.scalars(
        select(Notice)
        .where(Notice.order_id == order.id, Notice.template == "offer", Notice.state == "delivered")
        .order_by(Notice.id.desc())
        .limit(1)
    ).one_or_none()
    return None if notice is None else notify.link_token(notice)


def delete_canaries(session: Session, before: datetime, most: int) -> int:
    """Delete canary orders placed before an instant, with their jobs and periods, `most` at a time; how many.

    They are no history; the database's own function deletes them and nothing else.
    """
    old = select(Order.id).where(Order.is_canary, Order.created_at < before).order_by(Order.id).limit(most)
    ids = session.scalars(old).all()
    offers = session.scalars(select(Offer.id).where(Offer.order_id.in_(ids))).all()
    for kinds, references in ((Job.kind != "orders.lapse", ids), (Job.kind == "orders.lapse", offers)):
        mine = Job.kind.like("orders.%") | Job.kind.like("system.%")
        session.execute(delete(Job).where(Job.reference.in_(references), kinds, mine))
    session.execute(DELETE_PERIODS, {"before": before, "most": most})
    gone: int = session.execute(DELETE_ORDERS, {"before": before, "most": most}).scalar_one()
    return gone
