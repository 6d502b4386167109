"""A counsellor ends: who has a time is told by letter, the times are closed, and nobody is left waiting at the door."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import DispatchError
from dispatch.models.care import Appointment, CounsellingSlot
from dispatch.models.notify import Notice
from dispatch.rules.access.roles import EVERYTHING, SYSTEM
from dispatch.services.care import counselling
from dispatch.transaction import retrying, transaction
from tests.conftest import Database
from tests.factories.counselling import Station, asks, booked, make_counsellor, make_station, open_slot

PEOPLE = 4


@pytest.fixture
def station(session: Session) -> Station:
    return make_station(session)


def book_by_mail(session: Session, station: Station, slot: CounsellingSlot, number: int = 1) -> Appointment:
    """A time for somebody who left an address."""
    asked = replace(asks(station, slot, number=number), email=f"rain{number}@letters.example")
    return counselling.book(session, station.community_id, asked, actor=station.visitor, now=clock.now(session))[0]


def end(session: Session, station: Station) -> None:
    """The counsellor of the station ends."""
    counselling.end(session, station.counsellor.id, actor=SYSTEM, now=clock.now(session))


def test_who_has_a_time_is_told_and_every_coming_time_is_closed(session: Session, station: Station) -> None:
    taken, free = open_slot(session, station), open_slot(session, station, hours=72)
    made = book_by_mail(session, station, taken)
    _, colleague = make_counsellor(session, station.world, station.kind)
    elsewhere = open_slot(session, station, hours=96, acting=colleague)
    hers = book_by_mail(session, station, elsewhere, number=2)
    end(session, station)
    end(session, station)
    session.expire_all()
    assert (made.state, made.ended_by, hers.state) == ("cancelled", "counsellor", "booked")
    assert all(one.withdrawn_at is not None for one in (taken, free))
    assert elsewhere.withdrawn_at is None
    letters = session.scalars(select(Notice).where(Notice.template == "appointment_over")).all()
    assert [set(one.facts) for one in letters] == [{"until"}]


def test_who_can_be_told_by_telephone_only_is_told_first(session: Session, station: Station) -> None:
    by_mail = book_by_mail(session, station, open_slot(session, station))
    by_phone = booked(session, station, open_slot(session, station, hours=72), number=2)
    with pytest.raises(counselling.ToBeTelephoned) as refused, session.begin_nested():
        end(session, station)
    assert "1 个预约" in refused.value.message
    session.expire_all()
    assert station.counsellor.ended_at is None
    assert (by_mail.state, by_phone.state) == ("booked", "booked")


def test_who_books_in_the_moment_of_the_end_has_no_time_with_nobody(committed: Database) -> None:
    assert committed
    with transaction(EVERYTHING) as session:
        station = make_station(session)
        slots = [open_slot(session, station, hours=48 + 24 * number) for number in range(PEOPLE)]
    barrier = Barrier(PEOPLE + 1)

    @retrying
    def book(number: int) -> None:
        with transaction(station.visitor.scope) as session:
            book_by_mail(session, station, slots[number], number)

    @retrying
    def leave() -> None:
        with transaction(EVERYTHING) as session:
            end(session, station)

    def together(work: Callable[[], None]) -> bool:
        barrier.wait()
        try:
            work()
        except DispatchError:
            return False
        return True

    with ThreadPoolExecutor(PEOPLE + 1) as pool:
        [pool.submit(together, lambda number=number: book(number)) for number in range(PEOPLE)]
        has_left = pool.submit(together, leave).result()
    if not has_left:
        leave()
    with transaction(EVERYTHING) as session:
        states = set(session.scalars(select(Appointment.state)))
        closed = [one is not None for one in session.scalars(select(CounsellingSlot.withdrawn_at))]
    assert states <= {"cancelled"}
    assert len(closed) == PEOPLE
    assert all(closed)
