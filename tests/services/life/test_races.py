"""A death while something begins for the dead: whoever begins it waits, and nothing is begun."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import DispatchError, Invalid
from dispatch.models.care import (
    AlarmDevice,
    Enrolment,
    FestivalEvent,
    GroupMember,
    VisitSchedule,
    Voucher,
    VoucherGrant,
)
from dispatch.models.grid import Resident
from dispatch.rules.access.roles import EVERYTHING, SYSTEM, Actor, Role
from dispatch.rules.care.events import Event
from dispatch.rules.care.festivals import Calendar as Year
from dispatch.rules.care.festivals import Yearly
from dispatch.services import care, life
from dispatch.services.care import alarms, celebrating, groups, vouchers
from dispatch.services.care.events import EventDraft
from dispatch.transaction import transaction
from tests.factories.alarms import device_of
from tests.factories.care import ELDER, Calendar, calendar_of, home, voucher
from tests.factories.funds import give, make_treasury
from tests.factories.life import group
from tests.factories.vouchers import Purses, ask
from tests.factories.world import make_world, staff

WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


@dataclass(frozen=True, slots=True)
class Elder:
    """Somebody with a voucher that is asked for, and with nothing else yet."""

    calendar: Calendar
    person: Resident
    clerk: Actor
    decides: Actor
    asked: VoucherGrant
    device: AlarmDevice
    group_id: int


def make_elder(session: Session) -> Elder:
    """Make the elder, and another who is on the list of vouchers as well."""
    calendar, now = calendar_of(session, make_world(session)), clock.now(session)
    world = calendar.world
    (person,), (other,) = home(session, calendar, ELDER), home(session, calendar, ELDER, stairwell=1)
    for one in (person, other):
        voucher(session, calendar, one, now=now)
    treasury = make_treasury(session, world.community.id)
    give(session, treasury, 100_000, holding=treasury.bank)
    clerk, decides = staff(session, world, Role.WELFARE), staff(session, world, Role.CENTRE)
    asked = ask(session, Purses(world, treasury, (person, other), clerk, decides, ()))
    device, listed = device_of(session, world, None), group(session, world)
    return Elder(calendar, person, clerk, decides, asked, device, listed.id)


def beginnings(elder: Elder) -> list[Callable[[Session], object]]:
    """All that may be begun for the elder, each in a transaction of its own."""
    now, about = elder.asked.asked_at, {"actor": elder.calendar.planner, "now": elder.asked.asked_at}
    visits = care.VisitDraft(
        elder.person.id, now + timedelta(days=1), "FREQ=DAILY", 60, service_code="care_visit",
        performer_id=elder.calendar.helpers[0].id,
    )  # fmt: skip
    consent = {"resident_id": elder.person.id, "consent_by": "self"}
    pairing = care.EnrolmentDraft("pairing", household_id=elder.person.household_id)
    device = care.EnrolmentDraft("device", resident_id=elder.person.id)
    return [
        lambda session: care.enrol(session, device, **about),  # type: ignore[arg-type]
        lambda session: care.enrol(session, pairing, **about),  # type: ignore[arg-type]
        lambda session: care.plan_visits(session, visits, **about),  # type: ignore[arg-type]
        lambda session: groups.add_member(session, elder.group_id, elder.person.id, **about),  # type: ignore[arg-type]
        lambda session: alarms.install_device(session, elder.device.id, **consent, **about),  # type: ignore[arg-type]
        lambda session: vouchers.approve_grant(session, elder.asked.id, actor=elder.decides, now=now),
    ]


def attempt(work: Callable[[Session], object]) -> object:
    """What a work gives or raises."""
    try:
        with transaction(EVERYTHING) as session:
            return work(session)
    except DispatchError as error:
        return error


def begun(session: Session, elder: Elder) -> list[object]:
    """What is to come for the elder."""
    own = elder.person.id
    whose = (Enrolment.resident_id == own) | (Enrolment.household_id == elder.person.household_id)
    return [
        *session.scalars(select(Enrolment.id).where(Enrolment.ends_on.is_(None), whose)),
        *session.scalars(select(VisitSchedule.id).where(VisitSchedule.resident_id == own)),
        *session.scalars(select(GroupMember.id).where(GroupMember.resident_id == own)),
        *session.scalars(select(AlarmDevice.id).where(AlarmDevice.resident_id == own)),
    ]


@pytest.mark.usefixtures("committed")
def test_what_is_begun_while_a_death_is_recorded_waits_and_is_refused() -> None:
    with transaction(EVERYTHING) as session:
        elder = make_elder(session)
    works = beginnings(elder)
    with ThreadPoolExecutor(len(works)) as pool:
        with transaction(EVERYTHING) as session:
            now = clock.now(session)
            life.record_death(
                session, EventDraft(Event.DEATH, clock.today(now), elder.person.id), actor=SYSTEM, now=now
            )
            waiting = [pool.submit(attempt, work) for work in works]
            while session.execute(WAITING).scalar_one() < sum(not one.done() for one in waiting):
                session.execute(text("SELECT pg_stat_clear_snapshot()"))
        answers = [one.result() for one in waiting]
    assert [type(one) for one in answers] == [Invalid] * 5 + [VoucherGrant]
    with transaction(EVERYTHING) as session:
        assert begun(session, elder) == []
        states = session.execute(select(Voucher.state, Voucher.resident_id == elder.person.id)).all()
        assert sorted(states) == [("open", False), ("void", True)]


BEGINNINGS = """
INSERT INTO enrolments (uid, community_id, programme_id, {who}, starts_on, checked_on)
    SELECT gen_random_uuid(), community_id, id, :{who}, current_date, current_date FROM programmes WHERE kind = :kind;
INSERT INTO visit_schedules (community_id, resident_id, service_id, starts_at, rule, window_minutes, performer_id)
    SELECT community_id, :resident_id, services.id, now(), 'FREQ=DAILY', 60, performers.id FROM performers, services
    WHERE kind = 'helper' LIMIT 1;
INSERT INTO care_group_members (community_id, group_id, resident_id, since)
    SELECT community_id, id, :resident_id, current_date FROM care_groups LIMIT 1;
INSERT INTO festival_invitations (community_id, event_id, resident_id)
    SELECT community_id, id, :resident_id FROM festival_events LIMIT 1;
UPDATE alarm_devices SET resident_id = :resident_id;
UPDATE vouchers SET state = 'open' WHERE resident_id = :resident_id
"""


def test_the_database_begins_nothing_for_the_dead(session: Session) -> None:
    elder, now = make_elder(session), clock.now(session)
    event = {"community_id": elder.person.community_id, "year": now.year, "held_on": clock.today(now)}
    festival = celebrating.add_festival(
        session, elder.person.community_id, "社区日", Yearly(Year.SOLAR, 5, 4), actor=elder.calendar.planner
    )
    session.add(FestivalEvent(festival_id=festival.id, **event))
    session.flush()
    whose = {"resident_id": elder.person.id, "household_id": elder.person.household_id}
    life.record_death(session, EventDraft(Event.DEATH, clock.today(now), elder.person.id), actor=SYSTEM, now=now)
    for who, kind in (("resident_id", "device"), ("household_id", "pairing")):
        for statement in BEGINNINGS.split(";"):
            with pytest.raises(IntegrityError) as refused, session.begin_nested():
                session.execute(text(statement.format(who=who)), whose | {"kind": kind})
            assert "who_left" in str(refused.value.orig.diag.constraint_name), statement  # type: ignore[union-attr]
