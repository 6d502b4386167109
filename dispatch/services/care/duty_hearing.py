"""What the orders of duties tell: somebody was there, nobody was, or nobody answered."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import Contact, DutyOrder, DutyPeriod
from dispatch.models.catalogue import Service
from dispatch.models.grid import Household
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.care.terms import ContactKind, Proof
from dispatch.rules.orders.states import AFTER_WORK, OrderState
from dispatch.services import notify
from dispatch.services.care import cases, helping
from dispatch.services.care.contacting import Record, contact_of, keep
from dispatch.services.care.ordering import place_due
from dispatch.services.care.periods import owners_of, touch

CALL = "greeting_call"
WORKED = AFTER_WORK | {OrderState.CLOSED, OrderState.ARCHIVED}
WITHOUT_WORK = frozenset({OrderState.VOIDED, OrderState.MERGED, OrderState.ANSWERED})
NOT_DONE = "not_done"
LONGEST_NOTE = 500


def outcome_of(order: Order) -> str:
    """How an order of a duty went so far: under way, done or failed."""
    state = OrderState(order.state)
    if state in WITHOUT_WORK or (state in WORKED and order.result == NOT_DONE):
        return "failed"
    return "done" if state in WORKED else "under_way"


def hear_of_duty(session: Session, order: Order, version: int, now: datetime) -> bool:
    """The order of a duty: done, it is a contact; come to nothing, somebody is sent again while there is time."""
    rows = session.scalars(
        select(DutyOrder)
        .where(DutyOrder.order_id == order.id)
        .order_by(DutyOrder.period_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if not rows or all(one.order_version >= version for one in rows):
        return False
    outcome = outcome_of(order)
    changed = [one for one in rows if one.outcome != outcome]
    for one in rows:
        one.outcome, one.order_version = outcome, order.version
    session.flush()
    number(session, changed, now=now)
    if changed and outcome != "under_way":
        heard(session, order, outcome, now=now)
        place_again(session, [one.period_id for one in rows], now=now)
    return True


def number(session: Session, changed: Sequence[DutyOrder], *, now: datetime) -> None:
    """The hour of an order is not that of its periods any more, or is again: in calendars their number grows."""
    ids = [one.period_id for one in changed]
    for period in session.scalars(select(DutyPeriod).where(DutyPeriod.id.in_(ids))):
        touch(period, now=now)
    session.flush()


def heard(session: Session, order: Order, outcome: str, *, now: datetime) -> Contact | None:
    """What the end of an order's work says of the elder; None when it says nothing, or was recorded already."""
    is_call = session.get_one(Service, order.service_id).code == CALL
    if contact_of(session, order.id) is not None or (outcome == "failed" and (not is_call or order.result != NOT_DONE)):
        return None
    home = home_of(session, order)
    if home is None:
        return None
    kind = ContactKind.CALL if is_call else ContactKind.VISIT
    record = Record(
        household_id=home.id,
        kind=str(kind),
        happened_at=order.finished_at or now,
        performer_id=order.performer_id,
        answered=outcome == "done",
        order_id=order.id,
        note=(order.work_note or "")[:LONGEST_NOTE],
    )
    return keep(session, record, kind, Proof.REPORT, community_id=home.community_id, actor=SYSTEM, now=now)


def home_of(session: Session, order: Order) -> Household | None:
    """The home that an order goes to."""
    at = (Household.stairwell_id == order.stairwell_id, Household.room == order.room)
    return session.scalars(select(Household).where(*at)).one_or_none()


def place_again(session: Session, period_ids: list[int], *, now: datetime) -> int:
    """Send somebody again for what is still due; how many orders were placed."""
    found = cases.load(session, owners_of(session, period_ids), locked=True)
    if not found:
        return 0
    community_id = found[0].enrolment.community_id
    return place_due(session, found, helping.bench_of(session, community_id, today=clock.today(now)), now=now)


def hear_of_leader(session: Session, order: Order, _version: int, now: datetime) -> bool:
    """The stairwell leader was sent because nobody answered: when somebody was met, the alarm is over."""
    outcome = outcome_of(order)
    if outcome != "done" or contact_of(session, order.id) is not None:
        return False
    contact = heard(session, order, outcome, now=now)
    if contact is not None:
        notify.clear_alarms(session, order_id=order.id, kinds=None, now=now)
    return contact is not None
