"""The quarter's live test of a device: due by the calendar, an order of a helper, met by the device's own signal."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.care import AlarmDevice, Contact, Duty, DutyOrder, DutyPeriod, Enrolment
from dispatch.models.grid import Resident
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import care, orders
from dispatch.services.care import alarms
from tests.factories.alarms import alarm_kinds, device_of, report
from tests.factories.care import ELDER, Calendar, home, keep_day, make_calendar, voucher

MAY = datetime(2026, 5, 11, 10, tzinfo=SHANGHAI).astimezone(UTC)


def installed(session: Session, calendar: Calendar, elder: Resident) -> AlarmDevice:
    """An elder in the programme, with a device that stands there."""
    draft = care.EnrolmentDraft("device", resident_id=elder.id)
    care.enrol(session, draft, actor=calendar.planner, now=MAY)
    return device_of(session, calendar.world, elder)


def owed(session: Session, elder: Resident) -> DutyPeriod:
    """The live test that is owed to somebody."""
    query = (
        select(DutyPeriod).join(Duty, Duty.id == DutyPeriod.duty_id).join(Enrolment, Enrolment.id == Duty.enrolment_id)
    )
    query = query.where(Duty.kind == "live_test", Enrolment.resident_id == elder.id, DutyPeriod.number == 1)
    return session.scalars(query.execution_options(populate_existing=True)).one()


def order_of(session: Session, period: DutyPeriod) -> Order:
    """The order that works for a period."""
    query = select(Order).join(DutyOrder, DutyOrder.order_id == Order.id).where(DutyOrder.period_id == period.id)
    return session.scalars(query.execution_options(populate_existing=True)).one()


def press(session: Session, device: AlarmDevice, now: datetime) -> None:
    """The red key within a test."""
    alarms.begin_test(session, device.id, actor=SYSTEM, now=now)
    report(session, device, now=now)


def test_the_helper_s_order_is_done_by_the_signal_and_the_quarter_is_met(session: Session) -> None:
    calendar = make_calendar(session)
    alarm_kinds(session, calendar.world)
    (elder,) = home(session, calendar)
    device, period = installed(session, calendar, elder), owed(session, elder)
    day = datetime.combine(period.planned_on, MAY.timetz())
    assert keep_day(session, calendar, day) == 1
    order = order_of(session, period)
    assert "季度试报警" in order.description
    orders.route(session, order.id, now=day)
    session.refresh(order)
    key = orders.NamedRound(order.named_performer_id or 0, order.number, order.rounds)
    orders.accept(session, key, now=day)

    press(session, device, day + timedelta(minutes=20))

    session.refresh(order)
    assert (owed(session, elder).state, order.result, device.state) == ("met", "done", "tested")
    contact = session.scalars(select(Contact)).one()
    assert (contact.kind, contact.proof, contact.performer_id) == ("test", "signal", order.performer_id)
    assert session.scalars(select(Order).where(Order.origin == "care.alarm")).all() == []


def test_a_signal_meets_its_own_elder_s_test_alone_and_no_visit(session: Session) -> None:
    calendar = make_calendar(session)
    alarm_kinds(session, calendar.world)
    elder, wife = home(session, calendar, ELDER, ELDER)
    device = installed(session, calendar, elder)
    installed(session, calendar, wife)
    monthly = voucher(session, calendar, elder, now=MAY)

    press(session, device, datetime.combine(owed(session, elder).planned_on, MAY.timetz()))

    visit = select(DutyPeriod.state).join(Duty, Duty.id == DutyPeriod.duty_id).where(Duty.enrolment_id == monthly.id)
    assert (owed(session, elder).state, owed(session, wife).state) == ("met", "due")
    assert set(session.scalars(visit)) == {"due"}


def test_without_a_test_that_is_due_a_signal_is_no_contact(session: Session) -> None:
    calendar = make_calendar(session)
    (elder,) = home(session, calendar)
    device = device_of(session, calendar.world, elder)
    press(session, device, MAY)
    assert device.state == "tested"
    assert session.scalars(select(Contact)).all() == []
