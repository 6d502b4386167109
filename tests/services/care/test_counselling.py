"""Counselling: a time is taken once, a freed one goes to who waited longest, and nothing tells what it is about."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import DispatchError, Invalid, NotAllowed, NotFound
from dispatch.models.care import Appointment
from dispatch.models.notify import Notice
from dispatch.queue import Job
from dispatch.rules.access.roles import EVERYTHING, SYSTEM, Role
from dispatch.rules.care import counselling as rule
from dispatch.rules.care.counselling import EndedBy, Source
from dispatch.services.care import counselling
from dispatch.transaction import retrying, transaction
from tests.conftest import Database
from tests.factories.counselling import (
    HOUR,
    Station,
    asks,
    booked,
    make_counsellor,
    make_station,
    open_slot,
    past,
    without_phone,
)
from tests.factories.world import staff

PEOPLE = 8


@pytest.fixture
def station(session: Session) -> Station:
    return make_station(session)


def at_once(work: Callable[[int], object]) -> list[object]:
    """Do the work at the same moment in threads; what each gives or raises."""
    barrier = Barrier(PEOPLE)

    def one(number: int) -> object:
        barrier.wait()
        try:
            return retrying(work)(number)
        except DispatchError as error:
            return error

    with ThreadPoolExecutor(PEOPLE) as pool:
        return list(pool.map(one, range(PEOPLE)))


def test_of_eight_people_who_want_one_time_at_once_one_has_it(committed: Database) -> None:
    assert committed
    with transaction(EVERYTHING) as session:
        station = make_station(session)
        slot = open_slot(session, station)
        now = clock.now(session)

    def book(number: int) -> int:
        with transaction(station.visitor.scope) as session:
            asked = asks(station, slot, number=number)
            return counselling.book(session, station.community_id, asked, actor=station.visitor, now=now)[0].id

    answers = at_once(book)
    assert sum(isinstance(answer, int) for answer in answers) == 1
    assert sum(isinstance(answer, rule.SlotTaken) for answer in answers) == PEOPLE - 1


def test_one_person_who_books_at_eight_counsellors_at_once_is_in_one_place_at_a_time(committed: Database) -> None:
    assert committed
    with transaction(EVERYTHING) as session:
        station, now = make_station(session), clock.now(session)
        begins = now + 48 * HOUR
        acting = [make_counsellor(session, station.world, station.kind)[1] for _ in range(PEOPLE)]
        slots = [
            counselling.open_slots(session, begins, begins + HOUR, "二楼", actor=one, now=now)[0] for one in acting
        ]

    def book(number: int) -> int:
        with transaction(station.visitor.scope) as session:
            asked = asks(station, slots[number], number=1)
            return counselling.book(session, station.community_id, asked, actor=station.visitor, now=now)[0].id

    answers = at_once(book)
    assert sum(isinstance(answer, int) for answer in answers) == 1
    assert sum(isinstance(answer, rule.PersonBusy) for answer in answers) == PEOPLE - 1


def test_the_database_itself_gives_no_time_twice_and_revives_nothing(session: Session, station: Station) -> None:
    held = booked(session, station, open_slot(session, station))
    other = booked(session, station, open_slot(session, station, hours=72), number=2)
    counselling.cancel(session, other, EndedBy.DESK, actor=SYSTEM, now=clock.now(session))
    session.flush()
    copied = (
        "INSERT INTO appointments (uid, community_id, service_id, alias, code_index, source, state, slot_id, "
        "counsellor_id, during) SELECT gen_random_uuid(), community_id, service_id, alias, sha256('another'), source, "
        "state, slot_id, counsellor_id, during FROM appointments WHERE id = :id"
    )
    revived = "UPDATE appointments SET state = 'booked', ended_by = NULL, ended_at = NULL WHERE id = :id"
    for statement, about in ((copied, held.id), (revived, other.id)):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(text(statement), {"id": about})


def test_a_freed_time_is_offered_to_who_waited_longest_and_after_the_limit_to_the_next(
    session: Session, station: Station
) -> None:
    slot, now = open_slot(session, station), clock.now(session)
    first = booked(session, station, slot)
    waiting = [booked(session, station, number=number) for number in (2, 3)]
    counselling.cancel(session, first, EndedBy.CLIENT, actor=station.visitor, now=now)
    assert [one.state for one in waiting] == ["offered", "waiting"]
    until = waiting[0].offered_until
    assert until == now + timedelta(hours=12)
    lapse = session.scalars(select(Job).where(Job.kind == "care.lapse_offer")).one()
    assert (lapse.reference, lapse.run_at) == (waiting[0].id, until)
    assert counselling.free_slots(session, station.community_id, station.kind.id, days_ahead=30, now=now) == []
    assert not counselling.lapse(session, waiting[0].id, now=now)
    assert counselling.lapse(session, waiting[0].id, now=until)
    assert [one.state for one in waiting] == ["lapsed", "offered"]
    counselling.confirm(session, waiting[1], actor=station.visitor, now=until)
    assert not counselling.lapse(session, waiting[1].id, now=until + 24 * HOUR)
    assert (waiting[1].state, waiting[1].slot_id) == ("booked", slot.id)


def test_who_waits_is_offered_a_time_that_is_newly_opened_unless_busy_then(session: Session, station: Station) -> None:
    now = clock.now(session)
    other, acting = make_counsellor(session, station.world, station.kind)
    begins = now + 48 * HOUR
    theirs = counselling.open_slots(session, begins, begins + HOUR, "三楼", actor=acting, now=now)[0]
    booked(session, station, theirs)
    busy, free = booked(session, station), booked(session, station, number=2)
    counselling.open_slots(session, begins, begins + HOUR, "二楼", actor=station.acting, now=now)
    assert (busy.state, free.state, free.counsellor_id) == ("waiting", "offered", station.counsellor.id)
    assert other.id != station.counsellor.id


def test_a_letter_says_a_time_and_nothing_else(session: Session, station: Station) -> None:
    slot, now = open_slot(session, station), clock.now(session)
    asked = replace(asks(station, slot), email="rain@letters.example")
    made, _ = counselling.book(session, station.community_id, asked, actor=station.visitor, now=now)
    job = session.scalars(select(Job).where(Job.kind == "care.remind_appointment")).one()
    assert slot.during.lower is not None
    assert job.run_at == slot.during.lower - 24 * HOUR
    assert counselling.remind(session, made.id, now=job.run_at)
    assert not counselling.remind(session, made.id, now=job.run_at)
    notice = session.scalars(select(Notice).where(Notice.template == "appointment")).one()
    assert set(notice.facts) == {"until"}
    assert notice.performer_id is notice.user_id is None
    whole = session.execute(text("SELECT string_agg(row::text, '') FROM notices AS row")).scalar_one()
    assert not any(word in whole for word in ("rain@letters.example", "小雨", station.kind.name))


def test_the_same_form_is_kept_once_and_a_code_finds_its_own_appointment(session: Session, station: Station) -> None:
    slot, now = open_slot(session, station), clock.now(session)
    asked = replace(asks(station, slot), form_key="form-1")
    (made, code), again = (
        counselling.book(session, station.community_id, asked, actor=station.visitor, now=now) for _ in range(2)
    )
    assert again == (made, code)
    assert counselling.of_client(session, station.community_id, code.lower().replace("-", "")).id == made.id
    with pytest.raises(rule.CodeUnknown):
        counselling.of_client(session, station.community_id, "0000-0000-0000")
    whole = session.execute(text("SELECT string_agg(row::text, '') FROM appointments AS row")).scalar_one()
    assert rule.spelling_of(code) not in whole
    assert "13900000001" not in whole


def test_who_holds_too_many_or_often_stayed_away_is_asked_to_call(session: Session, station: Station) -> None:
    for hours in (48, 50):
        booked(session, station, open_slot(session, station, hours=hours))
    with pytest.raises(rule.TooManyOpen):
        booked(session, station, open_slot(session, station, hours=52))
    for hours in (54, 56, 58):
        missed = booked(session, station, open_slot(session, station, hours=hours), number=2)
        after = past(session, missed, hours=0.5)
        counselling.note_outcome(session, missed, came=False, actor=station.acting, now=after)
    slot = open_slot(session, station, hours=60)
    with pytest.raises(rule.TooManyMissed):
        booked(session, station, slot, number=2)
    by_phone = replace(asks(station, slot, number=2), source=Source.PHONE)
    made, _ = counselling.book(session, station.community_id, by_phone, actor=SYSTEM, now=clock.now(session))
    assert counselling.own_one(session, made.id, actor=station.acting, now=clock.now(session)).missed == 3


def test_the_limits_of_time_hold_for_a_client_and_not_for_the_desk(session: Session, station: Station) -> None:
    soon = booked(session, station, open_slot(session, station, hours=3))
    with pytest.raises(rule.TooLateToCancel):
        counselling.cancel(session, soon, EndedBy.CLIENT, actor=station.visitor, now=clock.now(session))
    with pytest.raises(rule.AppointmentNotThere):
        counselling.note_outcome(session, soon, came=True, actor=station.acting, now=clock.now(session))
    counselling.cancel(session, soon, EndedBy.DESK, actor=SYSTEM, now=clock.now(session))
    with pytest.raises(rule.AppointmentNotThere):
        counselling.cancel(session, soon, EndedBy.DESK, actor=SYSTEM, now=clock.now(session))


def test_a_counsellor_sees_their_own_clients_and_an_officer_of_the_same_role_none(
    session: Session, station: Station
) -> None:
    mine = booked(session, station, open_slot(session, station))
    _, other = make_counsellor(session, station.world, station.kind)
    now = clock.now(session)
    assert [
        one.appointment.id for one in counselling.own_appointments(session, now, actor=station.acting, now=now)
    ] == [mine.id]
    assert counselling.own_appointments(session, now, actor=other, now=now) == []
    with pytest.raises(NotFound):
        counselling.of_counsellor(session, mine.id, actor=other)
    with pytest.raises(NotAllowed):
        counselling.own(session, actor=staff(session, station.world, Role.CENTRE))


def test_at_the_desk_nobody_has_to_leave_a_number_and_times_that_are_held_stay(
    session: Session, station: Station
) -> None:
    slot, now = open_slot(session, station), clock.now(session)
    asked = without_phone(asks(station, slot))
    with pytest.raises(Invalid):
        counselling.book(
            session, station.community_id, replace(asked, source=Source.WEB), actor=station.visitor, now=now
        )
    made, _ = counselling.book(session, station.community_id, asked, actor=SYSTEM, now=now)
    with pytest.raises(counselling.SlotHeld):
        counselling.withdraw(session, slot.id, actor=station.acting, now=now)
    lines = counselling.desk_lines(session, now, now + 72 * HOUR, actor=SYSTEM)
    assert [(one.id, one.alias, one.begins) for one in lines] == [(made.id, "小雨", slot.during.lower)]
    with pytest.raises(counselling.SlotsOverlap):
        open_slot(session, station, hours=48.5)
    assert session.get_one(Appointment, made.id).state == "booked"
