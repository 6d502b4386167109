"""The care calendar: enrolled, owed, ordered, met, missed, excused, handed over."""

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.care import Contact, Duty, DutyHandover, DutyOrder, DutyPeriod, Enrolment
from dispatch.models.notify import Alarm
from dispatch.models.orders import Order
from dispatch.rules.care.excuses import OwnExcuse, PeriodSettled
from dispatch.rules.care.terms import AbsenceKind, PeriodState
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import care, catalogue, grid, orders
from dispatch.services.access import vault
from dispatch.services.care.door import printed_code
from tests.factories.care import ELDER, SON, WIFE, Calendar, home, keep_day, make_calendar, paired, visited, voucher
from tests.statements import statements


def at(month: int, day: int, hour: int = 10) -> datetime:
    """An hour of a day of 2026 in Shanghai."""
    return datetime(2026, month, day, hour, tzinfo=SHANGHAI).astimezone(UTC)


@pytest.fixture
def calendar(session: Session) -> Calendar:
    """A community with programmes in the test's own transaction, whose database clock stands in the far past."""
    return make_calendar(session)


def periods(session: Session, enrolment: Enrolment, kind: str) -> list[DutyPeriod]:
    """The periods of a duty, oldest first."""
    query = select(DutyPeriod).join(Duty, Duty.id == DutyPeriod.duty_id)
    query = query.where(Duty.enrolment_id == enrolment.id, Duty.kind == kind).order_by(DutyPeriod.number)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def states(session: Session, enrolment: Enrolment, kind: str) -> list[tuple[str, str]]:
    """The periods of a duty as (name, state)."""
    return [(one.name, one.state) for one in periods(session, enrolment, kind)]


def alarms(session: Session, kind: str) -> list[tuple[str, bool]]:
    """The alarms of a kind as (level, is it still open), oldest first."""
    query = select(Alarm).where(Alarm.kind == kind).order_by(Alarm.id)
    rows = session.scalars(query.execution_options(populate_existing=True))
    return [(one.level, one.cleared_at is None) for one in rows]


def order_of(session: Session, period: DutyPeriod) -> Order:
    """The newest order that works for a period."""
    query = select(DutyOrder.order_id).where(DutyOrder.period_id == period.id).order_by(DutyOrder.order_id.desc())
    return session.get_one(Order, session.scalars(query.limit(1)).one(), populate_existing=True)


def route(session: Session, order: Order, now: datetime) -> orders.NamedRound:
    """Offer an order to its helper; what opens their part in it."""
    orders.route(session, order.id, now=now)
    session.refresh(order)
    return orders.NamedRound(order.named_performer_id or 0, order.number, order.rounds)


def report(session: Session, order: Order, now: datetime, **said: str) -> None:
    """The helper takes an order and reports its work; care hears of it."""
    key = route(session, order, now)
    orders.accept(session, key, now=now)
    orders.finish(session, key, orders.WorkReport(**({"result": "done"} | said)), now=now)  # type: ignore[arg-type]
    care.order_changed(session, order.id, order.version, now=now)


def test_31_january_and_1_march_are_a_miss_of_february(session: Session, calendar: Calendar) -> None:
    elder = home(session, calendar)[0]
    enrolment = voucher(session, calendar, elder, now=at(1, 10))
    visited(session, calendar, elder, at(1, 31))
    keep_day(session, calendar, at(2, 20))
    assert alarms(session, "duty_warning") == [("notice", True)]
    visited(session, calendar, elder, at(3, 1, 0))
    keep_day(session, calendar, at(3, 1, 1))
    assert states(session, enrolment, "monthly_visit")[:3] == [
        ("2026-01", "met"),
        ("2026-02", "missed"),
        ("2026-03", "met"),
    ]
    assert alarms(session, "duty_missed") == []
    february = periods(session, enrolment, "monthly_visit")[1]
    met = text("UPDATE duty_periods SET state = 'met', contact_id = :contact WHERE id = :id")
    contact = session.scalars(select(Contact.id).order_by(Contact.id)).first()
    with pytest.raises(IntegrityError, match=f"period {february.id} is missed"), session.begin_nested():
        session.execute(met, {"contact": contact, "id": february.id})


def test_nobody_writes_a_visit_into_a_month_that_is_over(session: Session, calendar: Calendar) -> None:
    elder = home(session, calendar)[0]
    enrolment = voucher(session, calendar, elder, now=at(1, 10))
    keep_day(session, calendar, at(2, 1, 1))
    visited(session, calendar, elder, at(1, 30), now=at(2, 1))
    assert states(session, enrolment, "monthly_visit")[:2] == [("2026-01", "missed"), ("2026-02", "due")]
    with pytest.raises(Invalid) as refused:
        visited(session, calendar, elder, at(1, 20), now=at(2, 1))
    assert refused.value.field == "happened_at"
    february = periods(session, enrolment, "monthly_visit")[1]
    outside = text(
        "UPDATE duty_periods SET state = 'met', settled_on = starts_on, contact_id = :contact WHERE id = :id"
    )
    contact = session.scalars(select(Contact.id)).one()
    with pytest.raises(IntegrityError, match="is not met by contact"), session.begin_nested():
        session.execute(outside, {"contact": contact, "id": february.id})


def test_one_order_and_one_visit_discharge_several_duties(session: Session, calendar: Calendar) -> None:
    elder, wife = home(session, calendar, ELDER, WIFE)
    pairing = paired(session, calendar, [elder, wife], now=at(1, 10))
    money = voucher(session, calendar, wife, now=at(1, 10))
    while not (owed := session.scalars(select(DutyOrder).where(DutyOrder.outcome == "under_way")).all()):
        keep_day(session, calendar, now := at(1, 10) + timedelta(days=len(periods(session, pairing, "greeting"))))
        visited(session, calendar, elder, now, kind="call")
    order = session.get_one(Order, owed[0].order_id)
    report(session, order, order.wanted_from or now)
    assert [state for _, state in states(session, money, "monthly_visit")][:1] == ["met"]
    assert "met" in {state for _, state in states(session, pairing, "visit")}
    assert session.scalars(select(DutyOrder.outcome).where(DutyOrder.order_id == order.id)).unique().all() == ["done"]
    assert not care.order_changed(session, order.id, order.version, now=at(2, 1))
    assert session.scalars(select(Contact).where(Contact.order_id == order.id)).one().kind == "visit"


def test_what_is_recorded_by_hand_withdraws_the_order_on_the_way(session: Session, calendar: Calendar) -> None:
    elder = home(session, calendar)[0]
    enrolment = paired(session, calendar, [elder], now=at(1, 10))
    keep_day(session, calendar, at(1, 20))
    order = order_of(session, periods(session, enrolment, "visit")[0])
    assert order.named_performer_id == calendar.helpers[0].id
    visited(session, calendar, elder, at(1, 20), performer_id=calendar.helpers[1].id)
    session.refresh(order)
    assert order.state == "voided"
    assert states(session, enrolment, "visit") == [("2026-01-10", "met"), ("2026-01-21", "due")]


def missed_call(session: Session, calendar: Calendar, enrolment: Enrolment) -> tuple[Order, datetime]:
    """The order of a call that nobody made, and the morning after."""
    call = periods(session, enrolment, "greeting")[0]
    morning = at(call.until.month, call.until.day, 8)
    keep_day(session, calendar, morning)
    keep_day(session, calendar, morning + timedelta(days=1))
    assert call.state == PeriodState.MISSED
    return order_of(session, call), morning + timedelta(days=1)


@pytest.mark.parametrize("ends", [False, True])
def test_nobody_is_sent_for_what_was_missed_once_somebody_was_there_or_they_left(
    session: Session, calendar: Calendar, *, ends: bool
) -> None:
    elder = home(session, calendar)[0]
    late, now = missed_call(session, calendar, enrolment := paired(session, calendar, [elder], now=at(1, 10)))
    assert late.state != "voided"
    if ends:
        care.end_enrolment(session, enrolment.id, code="ended", reason="搬走", actor=calendar.planner, now=now)
    else:
        visited(session, calendar, elder, now)
    assert order_of(session, periods(session, enrolment, "greeting")[0]).state == "voided"


def test_the_helper_who_records_a_visit_has_finished_its_order(session: Session, calendar: Calendar) -> None:
    elder = home(session, calendar)[0]
    enrolment = paired(session, calendar, [elder], now=at(1, 10))
    keep_day(session, calendar, at(1, 20))
    order = order_of(session, periods(session, enrolment, "visit")[0])
    route(session, order, at(1, 20, 11))
    with pytest.raises(Invalid) as refused:
        visited(session, calendar, elder, at(1, 20, 11), door_code="AAAAAAAA")
    assert refused.value.field == "door_code"
    code = printed_code(elder.household_id or 0)
    contact = session.get_one(Contact, visited(session, calendar, elder, at(1, 20, 11), door_code=code))
    session.refresh(order)
    assert (order.state, order.result, contact.proof) == ("finished", "done", "door_code")


def test_a_difficulty_becomes_an_order_that_is_called_back_to_the_elder(session: Session, calendar: Calendar) -> None:
    elder = home(session, calendar)[0]
    paired(session, calendar, [elder], now=at(1, 10))
    words = "灯坏了,自己换不了"
    contact = session.get_one(Contact, visited(session, calendar, elder, at(1, 12), difficulty=words, mood="low"))
    order = session.get_one(Order, contact.difficulty_order_id)
    assert (order.origin, order.description, order.caller_resident_id) == ("care.difficulty", words, elder.id)
    assert vault.open_sealed(f"contacts.difficulty.{contact.uid}", contact.difficulty or b"") == words
    with pytest.raises(Invalid) as refused:
        visited(session, calendar, elder, at(1, 12), difficulty=words, difficulty_code="care_visit")
    assert refused.value.field == "difficulty_code"


def test_two_calls_that_nobody_answers_send_the_stairwell_leader(session: Session, calendar: Calendar) -> None:
    elder = home(session, calendar)[0]
    enrolment = paired(session, calendar, [elder], now=at(1, 10))
    post = grid.PostDraft(
        grid.PostKind.STAIRWELL_LEADER, "王楼长", date(2025, 1, 1), stairwell_id=calendar.world.stairwells[0].id
    )
    grid.give_posts(session, calendar.community_id, [post], actor=calendar.planner)
    day = periods(session, enrolment, "greeting")[0].planned_on.day
    keep_day(session, calendar, at(1, day, 1))
    first = order_of(session, periods(session, enrolment, "greeting")[0])
    report(session, first, at(1, day, 9), result="not_done", note="没人接")
    second = order_of(session, periods(session, enrolment, "greeting")[0])
    assert second.id != first.id
    assert alarms(session, "calls_unanswered") == []
    report(session, second, at(1, day, 11), result="not_done", note="还是没人接")
    assert alarms(session, "calls_unanswered") == [("emergency", True)]
    leader = session.scalars(select(Order).where(Order.origin == "care.unanswered")).one()
    assert leader.urgency == "booked"
    report(session, leader, at(1, day, 12))
    assert alarms(session, "calls_unanswered") == [("emergency", False)]
    assert periods(session, enrolment, "greeting")[0].state == "met"


def test_a_stay_in_hospital_excuses_also_when_it_is_told_late(session: Session, calendar: Calendar) -> None:
    elder = home(session, calendar)[0]
    enrolment = voucher(session, calendar, elder, now=at(1, 10))
    keep_day(session, calendar, at(1, 18))
    order = order_of(session, periods(session, enrolment, "monthly_visit")[0])
    keep_day(session, calendar, at(2, 1))
    assert states(session, enrolment, "monthly_visit")[0] == ("2026-01", "missed")
    stay = {"starts_on": date(2026, 1, 20), "actor": calendar.planner, "now": at(2, 1)}
    made = care.begin_absence(session, elder.id, AbsenceKind.HOSPITAL, **stay)  # type: ignore[arg-type]
    assert care.begin_absence(session, elder.id, AbsenceKind.HOSPITAL, **stay).id == made.id  # type: ignore[arg-type]
    january = periods(session, enrolment, "monthly_visit")[0]
    assert (january.state, january.excuse_code, january.absence_id) == ("excused", "hospital", made.id)
    assert alarms(session, "duty_missed") == [("notice", False)]
    keep_day(session, calendar, at(2, 20))
    keep_day(session, calendar, at(3, 1))
    assert states(session, enrolment, "monthly_visit")[1] == ("2026-02", "excused")
    care.end_absence(session, elder.id, AbsenceKind.HOSPITAL, until=date(2026, 2, 27), actor=calendar.planner)
    keep_day(session, calendar, at(4, 1))
    assert states(session, enrolment, "monthly_visit")[2] == ("2026-03", "missed")
    session.refresh(order)
    assert order.origin_id == january.id


def test_every_other_exemption_needs_a_second_person(session: Session, calendar: Calendar) -> None:
    elder = home(session, calendar)[0]
    enrolment = voucher(session, calendar, elder, now=at(1, 10))
    january = periods(session, enrolment, "monthly_visit")[0]
    asked = {"code": "away", "words": "去女儿家过年", "now": at(1, 20)}
    care.ask_excuse(session, january.id, actor=calendar.planner, **asked)  # type: ignore[arg-type]
    assert alarms(session, "excuse_waits") == [("notice", True)]
    with pytest.raises(OwnExcuse):
        care.approve_excuse(session, january.id, actor=calendar.planner, now=at(1, 21))
    with pytest.raises(IntegrityError, match="excused by nothing"), session.begin_nested():
        session.execute(
            text("UPDATE duty_periods SET state = 'excused', settled_on = until WHERE id = :id"), {"id": january.id}
        )
    keep_day(session, calendar, at(2, 1))
    care.approve_excuse(session, january.id, actor=calendar.second, now=at(2, 2))
    assert states(session, enrolment, "monthly_visit")[0] == ("2026-01", "excused")
    assert alarms(session, "excuse_waits") == [("notice", False)]
    with pytest.raises(PeriodSettled):
        care.decline_excuse(session, january.id, actor=calendar.second, now=at(2, 2))


def test_a_helper_on_leave_gives_what_is_open_to_others_and_nobody_is_an_alarm(
    session: Session, calendar: Calendar
) -> None:
    enrolment = paired(session, calendar, home(session, calendar)[:1], now=at(1, 10))
    first, second = calendar.helpers
    for day in range(11, 21):
        keep_day(session, calendar, at(1, day))
    visit = periods(session, enrolment, "visit")[0]
    before = order_of(session, visit)
    leave = {"starts_on": date(2026, 1, 20), "actor": calendar.planner, "now": at(1, 20)}
    care.record_leave(session, first.id, until=date(2026, 1, 31), **leave)  # type: ignore[arg-type]
    session.refresh(before)
    assert (before.state, order_of(session, visit).named_performer_id) == ("voided", second.id)
    with pytest.raises(care.AlreadyOnLeave):
        care.record_leave(session, first.id, until=None, **leave)  # type: ignore[arg-type]
    assert alarms(session, "duty_nobody") == []
    care.record_leave(session, second.id, until=None, **leave)  # type: ignore[arg-type]
    assert periods(session, enrolment, "visit")[0].helper_id is None
    assert ("warning", True) in alarms(session, "duty_nobody")
    query = select(DutyHandover.code).where(DutyHandover.period_id == visit.id).order_by(DutyHandover.id)
    assert session.scalars(query).all() == ["leave", "left"]


def test_who_has_no_hours_that_day_is_passed_over_and_another_is_asked(session: Session, calendar: Calendar) -> None:
    enrolment = paired(session, calendar, home(session, calendar), now=at(1, 10))
    call = periods(session, enrolment, "greeting")[0]
    other_day = call.until.isoweekday() % 7 + 1
    first, second = calendar.helpers
    first.shifts = catalogue.shifts_of((f"{other_day}-{other_day} 08:00-20:00",))
    keep_day(session, calendar, at(call.until.month, call.until.day, 8))
    assert order_of(session, call).named_performer_id == second.id
    assert alarms(session, "duty_nobody") == []


def test_a_swap_by_hand_and_an_unpaired_helper(session: Session, calendar: Calendar) -> None:
    elder = home(session, calendar)[0]
    enrolment = paired(session, calendar, [elder], now=at(1, 10))
    first, second = calendar.helpers
    visit = periods(session, enrolment, "visit")[0]
    assert visit.helper_id == first.id
    care.swap(session, visit.id, second.id, actor=calendar.planner, now=at(1, 11))
    assert visit.helper_id == second.id
    with pytest.raises(Invalid) as refused:
        care.swap(session, visit.id, calendar.world.firms[0].id, actor=calendar.planner, now=at(1, 11))
    assert refused.value.field == "performer_id"
    with pytest.raises(care.AlreadyPaired):
        care.pair(session, enrolment.id, first.id, kind="volunteer", actor=calendar.planner, now=at(1, 11))


def test_a_death_excuses_what_comes_after_it_and_withdraws_who_is_on_the_way(
    session: Session, calendar: Calendar
) -> None:
    elder = home(session, calendar)[0]
    enrolment = paired(session, calendar, [elder], now=at(1, 10))
    keep_day(session, calendar, at(1, 20))
    order = order_of(session, periods(session, enrolment, "visit")[0])
    end = {"code": "died", "reason": "家属告知", "actor": calendar.planner, "now": at(1, 21)}
    care.end_enrolment(session, enrolment.id, ends_on=date(2026, 1, 20), **end)  # type: ignore[arg-type]
    session.refresh(order)
    assert order.state == "voided"
    found = {one.state for kind in ("visit", "greeting") for one in periods(session, enrolment, kind)}
    assert found <= {"excused", "missed", "met"}
    assert periods(session, enrolment, "visit")[0].excuse_code == "died"
    with pytest.raises(care.EnrolmentEnded):
        care.end_enrolment(session, enrolment.id, **end)  # type: ignore[arg-type]
    assert keep_day(session, calendar, at(2, 1)) == 0


def test_places_age_and_nest_are_asked_and_nobody_is_enrolled_twice(session: Session, calendar: Calendar) -> None:
    couple, family = home(session, calendar, ELDER, WIFE), home(session, calendar, ELDER, SON)
    paired(session, calendar, couple, now=at(1, 10))
    with pytest.raises(care.AlreadyEnrolled):
        paired(session, calendar, couple, now=at(1, 10))
    with pytest.raises(Invalid) as refused:
        paired(session, calendar, family, now=at(1, 10))
    assert refused.value.field == "household_id"
    vouchers = next(one for one, _ in care.programmes_of(session, actor=calendar.planner) if one.kind == "voucher")
    care.change_places(session, vouchers.id, 1, actor=calendar.planner)
    voucher(session, calendar, family[0], now=at(1, 10))
    with pytest.raises(care.ProgrammeFull):
        voucher(session, calendar, couple[0], now=at(1, 10))
    assert {one.kind: taken for one, taken in care.programmes_of(session, actor=calendar.planner)} == {
        "pairing": 1,
        "voucher": 1,
        "device": 0,
    }


def test_a_nest_that_is_empty_no_more_is_found_a_year_later(session: Session, calendar: Calendar) -> None:
    elder = home(session, calendar)[0]
    paired(session, calendar, [elder], now=at(1, 10))
    son = home(session, calendar, SON)[0]
    son.household_id = elder.household_id
    session.flush()
    assert care.check_nests(session, now=at(12, 1)) == 0
    assert care.check_nests(session, now=datetime(2027, 1, 10, 4, tzinfo=UTC)) == 1
    assert alarms(session, "nest_changed") == [("warning", True)]
    assert care.check_nests(session, now=datetime(2027, 1, 11, 4, tzinfo=UTC)) == 0


def test_the_days_work_asks_no_more_questions_for_more_enrolments(session: Session, calendar: Calendar) -> None:
    def asked() -> int:
        keep_day(session, calendar, at(1, 10, 1))
        with statements(session) as sent:
            keep_day(session, calendar, at(1, 10, 1))
        return len([one for one in sent if "FROM policies" not in one])  # remembered for 5 s of real time

    voucher(session, calendar, home(session, calendar)[0], now=at(1, 10))
    few = asked()
    for _ in range(6):
        voucher(session, calendar, home(session, calendar)[0], now=at(1, 10))
    assert asked() == few


def test_every_period_is_settled_however_a_year_goes(session: Session, calendar: Calendar) -> None:
    elder = home(session, calendar)[0]
    enrolment = paired(session, calendar, [elder], now=at(1, 1))
    for day in range(1, 200):
        now = at(1, 1, 1) + timedelta(days=day)
        keep_day(session, calendar, now)
        if day % 11 == 0:
            visited(session, calendar, elder, now)
    for kind in ("visit", "greeting"):
        found = periods(session, enrolment, kind)
        assert [one.state for one in found].count(PeriodState.DUE) == 1
        for before, after in itertools.pairwise(found):
            assert after.starts_on == (before.settled_on or before.until) + timedelta(days=1)
    assert {one.state for one in periods(session, enrolment, "visit")[:-1]} == {"met"}
