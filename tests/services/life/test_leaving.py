"""A death with all its consequences: once, all of it or nothing, and taken back by two people where it was wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.event import listen, remove
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotAllowed, NotFound
from dispatch.models.care import (
    Absence,
    AlarmDevice,
    Condolence,
    DutyPeriod,
    Enrolment,
    FestivalInvitation,
    GroupMember,
    LifeEffect,
    LifeEvent,
    PairedHelper,
    Programme,
    VisitSchedule,
    Voucher,
)
from dispatch.models.funds import Spending
from dispatch.models.grid import Post, Residence, Resident
from dispatch.models.market import AidApplication, Card
from dispatch.models.notify import Alarm
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Actor, Right, Role
from dispatch.rules.care.events import Event
from dispatch.rules.care.family import Relation
from dispatch.rules.care.festivals import Calendar as Year
from dispatch.rules.care.festivals import Yearly
from dispatch.rules.funds.terms import Owner, Purpose
from dispatch.services import care, funds, grid, life, orders
from dispatch.services.care import celebrating, covering, family, gifting, groups
from dispatch.services.care import events as care_events
from dispatch.services.care.events import EventDraft
from dispatch.services.care.family import NewLink
from dispatch.services.life import NothingToWithdraw, OwnWithdrawal
from tests.factories.aid import carded
from tests.factories.alarms import device_of
from tests.factories.care import ELDER, Calendar, home, make_calendar, paired, voucher
from tests.factories.funds import give, make_treasury
from tests.factories.life import group, visit_kind_of
from tests.factories.visits import helper
from tests.factories.vouchers import Purses, grant
from tests.factories.world import service, staff

FAMILY: list[str] = []
"""The token of the newest elder's family."""


@dataclass(frozen=True, slots=True)
class Elder:
    """Somebody for whom everything was to come: programmes, planned visits, a device, a card, a group."""

    calendar: Calendar
    person: Resident
    clerk: Actor

    @property
    def home_id(self) -> int:
        """The home in which they live."""
        return self.person.household_id or 0


@pytest.fixture
def elder(session: Session) -> Elder:
    """Make the elder, in the test's own transaction."""
    calendar, now = make_calendar(session), clock.now(session)
    world = calendar.world
    (person,) = home(session, calendar, ELDER)
    lived = {"community_id": world.community.id, "resident_id": person.id, "household_id": person.household_id}
    session.add(Residence(**lived, valid_from=date(2001, 5, 1)))
    helper(session, world, [visit_kind_of(session, world)])
    recovery = service(session, world.district, "device_recovery", offered=["programme"], in_figures=False)
    helper(session, world, [recovery])
    paired(session, calendar, [person], now=now)
    voucher(session, calendar, person, now=now)
    treasury = make_treasury(session, world.community.id)
    give(session, treasury, 100_000, holding=treasury.bank)
    asks, decides = staff(session, world, Role.WELFARE), staff(session, world, Role.CENTRE)
    grant(session, Purses(world, treasury, (person,), asks, decides, ()))
    visits = care.VisitDraft(
        resident_id=person.id, starts_at=now + timedelta(days=1), rule="FREQ=DAILY", window_minutes=120,
        service_code="care_visit", performer_id=calendar.helpers[0].id,
    )  # fmt: skip
    care.plan_visits(session, visits, actor=calendar.planner, now=now)
    device_of(session, world, person)
    carded(session, world, resident_id=person.id)
    groups.add_member(session, group(session, world).id, person.id, actor=calendar.planner, now=now)
    care.keep_batch(session, world.community.id, 0, 2**62, now=now)
    today = clock.today(now)
    yearly = Yearly(Year.SOLAR, today.month, today.day)
    celebrating.add_festival(session, world.community.id, "社区日", yearly, actor=calendar.planner)
    celebrating.plan_festivals(session, community_id=world.community.id, now=now)
    post = grid.PostDraft(grid.PostKind.STAIRWELL_LEADER, person.name, date(2020, 1, 1), resident_id=person.id,
                          stairwell_id=world.stairwells[2].id)  # fmt: skip
    grid.give_posts(session, world.community.id, [post], actor=calendar.planner)
    FAMILY[:] = [link_of(session, calendar, person, today)]
    session.flush()
    return Elder(calendar, person, staff(session, world, Role.WELFARE))


def link_of(session: Session, calendar: Calendar, person: Resident, today: date) -> str:
    """The token by which the elder's family looks from far away."""
    about = {"sees_visits": True, "sees_alarms": True, "consented_on": today, "expires_on": today + timedelta(days=90)}
    wanted = NewLink(person.id, Relation.CHILD, **about)  # type: ignore[arg-type]
    return family.make_link(session, wanted, actor=calendar.planner, now=clock.now(session))[1]


def reads(session: Session, now: datetime) -> bool:
    """Whether the family's link opens."""
    try:
        family.open_link(session, FAMILY[0], now=now)
    except NotFound:
        return False
    return True


def die(session: Session, elder: Elder, **said: Any) -> LifeEvent:
    """The elder has died today."""
    now = clock.now(session)
    draft = EventDraft(Event.DEATH, clock.today(now), elder.person.id, **said)
    event = life.record_death(session, draft, actor=elder.clerk, now=now)
    session.expire_all()
    return event


def counted(session: Session, query: Any) -> int:
    """How many rows a condition has."""
    return int(session.scalar(select(func.count()).select_from(query.subquery())) or 0)


def to_come(session: Session, elder: Elder) -> dict[str, int]:
    """What is still to come for the elder, by kind."""
    session.expire_all()
    person_id = elder.person.id
    orders = select(Order.id).where(Order.state.not_in(["voided"]), Order.origin.in_(["care.visit", "care.duty"]))
    whose = (Enrolment.resident_id == person_id) | (Enrolment.household_id == elder.home_id)
    approved = AidApplication.standing == "approved"
    return {
        "enrolments": counted(session, select(Enrolment.id).where(Enrolment.ends_on.is_(None), whose)),
        "periods": counted(session, select(DutyPeriod.id).where(DutyPeriod.state == "due")),
        "schedules": counted(session, select(VisitSchedule.id).where(VisitSchedule.ended_at.is_(None))),
        "visits": counted(session, orders),
        "invitations": counted(session, select(FestivalInvitation.id).where(FestivalInvitation.answer == "asked")),
        "groups": counted(session, select(GroupMember.id).where(GroupMember.until.is_(None))),
        "devices": counted(session, select(AlarmDevice.id).where(AlarmDevice.recovery_order_id.is_(None))),
        "vouchers": counted(session, select(Voucher.id).where(Voucher.state == "open")),
        "cards": counted(session, select(Card.id).where(Card.ended_at.is_(None))),
        "approvals": counted(session, select(AidApplication.id).where(approved)),
        "posts": counted(session, select(Post.id).where(Post.resident_id == person_id, Post.valid_until.is_(None))),
        "family": int(reads(session, clock.now(session))),
        "home": counted(session, select(Resident.id).where(Resident.id == person_id, Resident.left_at.is_(None))),
    }


def test_with_a_death_everything_that_was_to_come_ends_and_the_bereaved_are_visited(
    session: Session, elder: Elder
) -> None:
    before = to_come(session, elder)
    assert min(before.values()) >= 1, before
    home_id = elder.home_id
    event = die(session, elder)
    assert to_come(session, elder) == dict.fromkeys(before, 0)
    assert set(session.scalars(select(DutyPeriod.excuse_code).where(DutyPeriod.state == "excused"))) == {"died"}
    visit = session.scalars(select(Condolence).where(Condolence.event_id == event.id)).one()
    order = session.get_one(Order, visit.order_id)
    assert (order.caller_name, order.caller_phone, order.caller_resident_id) == ("家属", None, None)
    assert (visit.state, order.stairwell_id) == ("placed", elder.calendar.world.stairwells[0].id)
    assert visit.due_at - event.told_at == timedelta(hours=24)
    assert event.household_id == home_id
    assert session.scalars(select(Residence.valid_until)).one() == event.happened_on
    year, now = event.happened_on.year, clock.now(session)
    shown = {one.group.code: one for one in covering.coverage(session, year, actor=elder.clerk, now=now)}
    assert [(shown[code].events, shown[code].members) for code in ("retired", "enrolled")] == [(1, 0), (1, 0)]


def rows_of(session: Session) -> list[int | None]:
    """How many events, effects and orders there are."""
    return [session.scalar(select(func.count()).select_from(table)) for table in (LifeEvent, LifeEffect, Order)]


def test_said_twice_is_said_once(session: Session, elder: Elder) -> None:
    first = die(session, elder)
    counts = rows_of(session)
    assert die(session, elder).id == first.id
    assert counts == [
        session.scalar(select(func.count()).select_from(table)) for table in (LifeEvent, LifeEffect, Order)
    ]


BROKEN = (
    "INSERT INTO life_events", "INSERT INTO condolences", "UPDATE enrolments", "UPDATE duty_periods",
    "UPDATE visit_schedules", "UPDATE visit_occurrences", "UPDATE care_group_members",
    "UPDATE festival_invitations", "UPDATE alarm_devices", "UPDATE vouchers",
    "UPDATE aid_applications", "UPDATE cards", "UPDATE posts", "UPDATE residences", "UPDATE residents",
    "INSERT INTO life_effects", "UPDATE alarms",
)  # fmt: skip


class Broken(RuntimeError):
    """The database went away in the middle of a step."""


@contextmanager
def breaking(session: Session, beginning: str) -> Iterator[None]:
    """Let the database go away at the first statement that begins so."""

    def check(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(beginning):
            raise Broken

    connection = session.connection()
    listen(connection, "before_cursor_execute", check)
    try:
        yield
    finally:
        remove(connection, "before_cursor_execute", check)


def test_whichever_step_fails_nothing_has_happened(session: Session, elder: Elder) -> None:
    before, rows = to_come(session, elder), rows_of(session)
    for beginning in BROKEN:
        whole = session.begin_nested()
        with pytest.raises(Broken), breaking(session, beginning):
            die(session, elder)
        whole.rollback()
        assert to_come(session, elder) == before, beginning
        assert rows_of(session) == rows, beginning


def corrected(session: Session, elder: Elder, event: LifeEvent) -> life.Restored:
    """It was wrong, one says, and another agrees."""
    now, second = clock.now(session), staff(session, elder.calendar.world, Role.CENTRE)
    life.ask_withdrawal(session, event.id, reason="同名的另一位", actor=elder.clerk, now=now)
    restored = life.approve_withdrawal(session, event.id, actor=second, now=now)
    care.keep_batch(session, elder.person.community_id, 0, 2**62, now=now)
    return restored


def as_it_was(session: Session, elder: Elder) -> list[Any]:
    """The very rows of the elder's programmes: enrolments, helpers, what is owed, the card and what it rests on."""
    session.expire_all()
    periods = select(DutyPeriod.id, DutyPeriod.name, DutyPeriod.state, DutyPeriod.excuse_code).order_by(DutyPeriod.id)
    paired = select(PairedHelper.id, PairedHelper.performer_id, PairedHelper.ends_on)
    card, approval = select(Card.id, Card.ended_at), select(AidApplication.id, AidApplication.standing)
    enrolled = select(Enrolment.id, Enrolment.ends_on, Enrolment.end_code).order_by(Enrolment.id)
    home = select(Resident.household_id, Resident.left_at).where(Resident.id == elder.person.id)
    return [session.execute(query).all() for query in (enrolled, paired, periods, card, approval, home)]


def test_a_wrong_death_is_taken_back_by_two_people_and_all_is_as_before(session: Session, elder: Elder) -> None:
    before, rows, now = to_come(session, elder), as_it_was(session, elder), clock.now(session)
    event = die(session, elder)
    assert set(to_come(session, elder).values()) == {0}
    with pytest.raises(NothingToWithdraw):
        life.approve_withdrawal(session, event.id, actor=elder.clerk, now=now)
    with pytest.raises(Invalid):
        life.ask_withdrawal(session, event.id, reason=" ", actor=elder.clerk, now=now)
    restored = corrected(session, elder, event)
    assert (restored.left, to_come(session, elder), as_it_was(session, elder)) == ([], before, rows)
    assert {one.undone for one in life.effects_of(session, event)} == {True}
    assert session.scalars(select(Residence.valid_until)).one() is None
    assert session.scalars(select(Condolence.state)).one() == "ended"
    with pytest.raises(NothingToWithdraw):
        life.approve_withdrawal(session, event.id, actor=elder.clerk, now=now)
    again = die(session, elder)
    assert again.id != event.id
    assert set(to_come(session, elder).values()) == {0}


def test_who_asks_for_a_correction_does_not_approve_it(session: Session, elder: Elder) -> None:
    event, now = die(session, elder), clock.now(session)
    life.ask_withdrawal(session, event.id, reason="同名的另一位", actor=elder.clerk, now=now)
    with pytest.raises(OwnWithdrawal):
        life.approve_withdrawal(session, event.id, actor=elder.clerk, now=now)
    assert to_come(session, elder)["home"] == 0


def test_what_cannot_be_undone_is_said(session: Session, elder: Elder) -> None:
    event, community_id = die(session, elder), elder.person.community_id
    session.execute(update(Programme).where(Programme.kind == "voucher").values(places=1))
    (other,) = home(session, elder.calendar, ELDER, stairwell=1)
    voucher(session, elder.calendar, other, now=clock.now(session))
    order_id = session.scalars(select(LifeEffect.subject_id).where(LifeEffect.subject == "orders")).one()
    orders.void(session, orders.lock(session, order_id), reason="已取回", actor=SYSTEM, now=clock.now(session))
    restored = corrected(session, elder, event)
    assert sorted(subject for subject, _ in restored.left) == ["enrolments", "orders"]
    undone = {one.subject for one in life.effects_of(session, event) if one.undone}
    assert {"residents", "enrolments", "cards", "vouchers"} <= undone
    ended = select(func.count()).where(Enrolment.community_id == community_id, Enrolment.ends_on.is_not(None))
    assert session.scalars(ended).one() == 1


def test_nothing_is_undone_without_an_event_that_was_taken_back(session: Session, elder: Elder) -> None:
    die(session, elder)
    for table, values in (
        (Enrolment, {"ends_on": None, "end_code": None, "ended_at": None}),
        (DutyPeriod, {"state": "due", "excuse_code": None, "settled_on": None}),
        (AidApplication, {"standing": "approved", "ended_at": None}),
        (Card, {"ended_at": None, "ended_as": None}),
        (Voucher, {"state": "open", "frozen_at": None}),
    ):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(update(table).values(values))
    assert set(to_come(session, elder).values()) == {0}


def test_a_stay_in_hospital_that_a_wrong_death_ended_goes_on_with_its_visit(session: Session, elder: Elder) -> None:
    now, about = clock.now(session), (elder.person.id,)
    stay = care_events.tell(session, EventDraft(Event.HOSPITAL, clock.today(now), *about), actor=elder.clerk, now=now)
    treasury = make_treasury(session, elder.person.community_id, "-party")
    fund = funds.open_fund(session, elder.person.community_id, code="party", name="党内关爱资金", owner=Owner.OWN,
                           purposes=[Purpose.PARTY_CARE], actor=SYSTEM, now=now)  # fmt: skip
    give(session, treasury, 50_000, fund=fund)
    ((visit, _, _),) = care_events.visits_of(session, stay)
    paid = {"fund_id": fund.id, "holding_id": treasury.till.id, "fen": 20_000}
    asked = gifting.ask_gift(session, visit.id, **paid, actor=elder.clerk, now=now)
    event = die(session, elder)
    (gift,) = session.scalars(select(Spending.state).where(Spending.id == asked.id))
    assert (gift, session.get_one(Condolence, visit.id).state) == ("withdrawn", "ended")
    assert session.get_one(LifeEvent, stay.id).until == clock.today(now)
    restored = corrected(session, elder, event)
    session.expire_all()
    assert restored.left == []
    assert session.get_one(LifeEvent, stay.id).until is None
    assert session.scalars(select(Absence.until)).all() == [None]
    assert (session.get_one(Condolence, visit.id).state, session.get_one(Condolence, visit.id).tries) == ("placed", 2)


def test_a_couple_keeps_its_helpers_until_the_last_of_them(session: Session, elder: Elder) -> None:
    wife = Resident(uid=elder.person.uid.__class__(int=7), community_id=elder.person.community_id, name="王婆婆",
                    household_id=elder.person.household_id, name_key="wang", birth_date=ELDER)  # fmt: skip
    session.add(wife)
    session.flush()
    die(session, elder)
    lasting = select(Enrolment.household_id).where(Enrolment.ends_on.is_(None))
    assert list(session.scalars(lasting)) == [wife.household_id]


def test_who_moves_away_is_visited_no_more_and_not_condoled(session: Session, elder: Elder) -> None:
    now = clock.now(session)
    draft = EventDraft(Event.MOVED_AWAY, clock.today(now), elder.person.id)
    event = life.tell(session, draft, actor=elder.clerk, now=now)
    assert event is not None
    assert set(to_come(session, elder).values()) == {0}
    assert session.scalars(select(Condolence.id)).all() == []
    assert set(session.scalars(select(Enrolment.end_code))) == {"moved"}


def test_a_caller_s_word_of_a_death_ends_nothing_until_somebody_has_verified_it(session: Session, elder: Elder) -> None:
    now, before = clock.now(session), to_come(session, elder)
    plain = {"rights": frozenset({Right.LIFE_TELL}), "scope": elder.clerk.scope, "user_id": elder.clerk.user_id}
    operator = Actor(kind=elder.clerk.kind, **plain)  # type: ignore[arg-type]
    draft = EventDraft(Event.DEATH, clock.today(now), elder.person.id)
    assert life.tell(session, draft, actor=operator, now=now) is None
    assert to_come(session, elder) == before
    alarm = session.scalars(select(Alarm).where(Alarm.kind == "death_told")).one()
    with pytest.raises(NotAllowed):
        life.tell(session, EventDraft(Event.MOVED_AWAY, clock.today(now), elder.person.id), actor=operator, now=now)
    die(session, elder)
    session.refresh(alarm)
    assert alarm.cleared_at is not None
