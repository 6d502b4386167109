"""Festivals: planned by themselves once, everybody of the programmes invited once, one ride for a home, consent."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.care import Festival, FestivalEvent, FestivalInvitation
from dispatch.models.notify import Alarm
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.rules.care.festivals import Answer, Calendar, Yearly
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import grid
from dispatch.services.care import celebrating, hosting
from dispatch.services.grid.register import ResourceDraft, register_resources
from tests.factories.aid import picture
from tests.factories.care import ELDER, WIFE, home, make_calendar, paired, voucher
from tests.factories.care import Calendar as Community
from tests.factories.world import make_world, service, staff
from tests.statements import statements

SAID = {"wants_ride": True, "may_picture": True}


@pytest.fixture
def community(session: Session) -> Community:
    """A couple and a single elder in overlapping programmes, a kind that fetches, the festival of today."""
    made, now = make_calendar(session), clock.now(session)
    couple, single = home(session, made, ELDER, WIFE), home(session, made, ELDER, stairwell=1)
    paired(session, made, couple, now=now)
    voucher(session, made, couple[0], now=now)
    voucher(session, made, single[0], now=now)
    kind = {"offered": ["programme"], "given": "take_from_list", "in_figures": False}
    service(session, made.world.district, hosting.RIDE, **kind)
    today = clock.today(now)
    yearly = Yearly(Calendar.SOLAR, today.month, today.day)
    celebrating.add_festival(session, made.community_id, "社区日", yearly, actor=SYSTEM)
    return made


def planned(session: Session, community: Community) -> FestivalEvent:
    """The event of today."""
    celebrating.plan_festivals(session, community_id=community.community_id, now=clock.now(session))
    query = select(FestivalEvent).where(FestivalEvent.community_id == community.community_id)
    return session.scalars(query).one()


def invitations(session: Session, event: FestivalEvent) -> list[FestivalInvitation]:
    """Who is invited, oldest first."""
    query = select(FestivalInvitation).where(FestivalInvitation.event_id == event.id)
    return list(session.scalars(query.order_by(FestivalInvitation.id)))


def test_the_two_festivals_of_the_document_are_planned_a_month_ahead_and_only_once(session: Session) -> None:
    world = make_world(session)
    assert celebrating.begin_festivals(session, world.community.id, actor=SYSTEM) == 2
    assert celebrating.begin_festivals(session, world.community.id, actor=SYSTEM) == 0
    for day, held_on in ((datetime(2026, 9, 20), date(2026, 10, 18)), (datetime(2027, 1, 10), date(2027, 2, 6))):  # noqa: DTZ001
        now = day.replace(tzinfo=SHANGHAI)
        about = {"community_id": world.community.id, "now": now}
        assert [celebrating.plan_festivals(session, **about) for _ in range(2)] == [1, 0]
        assert session.scalars(select(func.max(FestivalEvent.held_on))).one() == held_on
    assert session.scalars(select(func.count()).where(Alarm.kind == "festival_planned")).one() == 2
    spring = session.scalars(select(Festival).where(Festival.code == "spring")).one()
    celebrating.switch_festival(session, spring.id, is_on=False, actor=SYSTEM)
    much_later = datetime(2028, 1, 10, tzinfo=SHANGHAI)
    assert celebrating.plan_festivals(session, community_id=world.community.id, now=much_later) == 0


def test_who_is_in_two_programmes_is_invited_once_and_who_joins_later_too(
    session: Session, community: Community
) -> None:
    event, now = planned(session, community), clock.now(session)
    assert len(invitations(session, event)) == 3
    (later,) = home(session, community, ELDER, stairwell=2)
    voucher(session, community, later, now=now)
    planned(session, community)
    assert {one.resident_id for one in invitations(session, event)} >= {later.id}
    assert len(invitations(session, event)) == 4


def test_a_couple_is_fetched_by_one_order_and_nobody_twice(session: Session, community: Community) -> None:
    event, clerk, now = planned(session, community), staff(session, community.world, Role.WELFARE), clock.now(session)
    for one in invitations(session, event):
        hosting.answer_invitation(session, one.id, Answer.COMES, **SAID, actor=clerk)
    assert [hosting.send_rides(session, event.id, actor=clerk, now=now) for _ in range(2)] == [2, 0]
    rides = [one.order_id for one in invitations(session, event)]
    assert len(set(rides)) == 2
    assert rides[0] == rides[1]
    (first, second, _) = invitations(session, event)
    hosting.lapse_invitations(session, first.resident_id, now=now)
    assert session.get_one(Order, rides[0]).state != "voided"
    hosting.lapse_invitations(session, second.resident_id, now=now)
    assert session.get_one(Order, rides[0], populate_existing=True).state == "voided"
    with pytest.raises(NotFound):
        hosting.answer_invitation(session, first.id, Answer.COMES, **SAID, actor=clerk)
    with pytest.raises(hosting.AlreadyHeld):
        hosting.send_rides(session, event.id, actor=clerk, now=now + timedelta(days=60))


def test_who_moved_since_the_invitation_is_fetched_at_the_new_door(session: Session, community: Community) -> None:
    event, clerk, now = planned(session, community), staff(session, community.world, Role.WELFARE), clock.now(session)
    first = invitations(session, event)[0]
    door = community.world.stairwells[-1].id
    about = {"stairwell_id": door, "room": "909", "day": clock.today(now), "now": now}
    grid.move_house(session, first.resident_id, **about, actor=SYSTEM)
    hosting.answer_invitation(session, first.id, Answer.COMES, **SAID, actor=clerk)
    assert hosting.send_rides(session, event.id, actor=clerk, now=now) == 1
    order = session.get_one(Order, invitations(session, event)[0].order_id)
    assert (order.stairwell_id, order.room) == (door, "909")


def test_helpers_are_of_the_register_and_a_picture_needs_everybodys_consent(
    session: Session, community: Community
) -> None:
    event, clerk, now = planned(session, community), staff(session, community.world, Role.WELFARE), clock.now(session)
    drafts = [ResourceDraft(kind, name, consented_at=now) for kind, name in (("artist", "甲"), ("volunteer", "乙"))]
    (gone,) = home(session, community, ELDER, stairwell=2)
    drafts.append(ResourceDraft("artist", "丙", resident_id=gone.id, consented_at=now))
    artist, volunteer, _ = register_resources(session, community.community_id, drafts, actor=SYSTEM)
    assert [one.name for one, _ in hosting.helpers_of(session, event.id, actor=clerk)] == ["丙", "甲"]
    gone.left_at = now
    session.flush()
    assert [one.name for one, _ in hosting.helpers_of(session, event.id, actor=clerk)] == ["甲"]
    assert hosting.choose_helpers(session, event.id, [artist], actor=clerk) == 1
    assert [one.name for one, is_helping in hosting.helpers_of(session, event.id, actor=clerk) if is_helping] == ["甲"]
    with pytest.raises(Invalid):
        hosting.choose_helpers(session, event.id, [volunteer], actor=clerk)
    first, second, _ = invitations(session, event)
    hosting.answer_invitation(session, first.id, Answer.COMES, **SAID, actor=clerk)
    about = {"words": "一起唱歌", "actor": clerk, "now": now}
    kept = hosting.add_picture(session, event.id, picture(), shown=[first.id], **about)
    assert hosting.read_picture(session, kept.id, actor=clerk).media_type == "image/jpeg"
    with pytest.raises(Invalid) as refused:
        hosting.add_picture(session, event.id, picture(), shown=[first.id, second.id], **about)
    assert refused.value.field == "shown"
    copied = text(
        "INSERT INTO festival_pictures (community_id, event_id, words, shown) "
        "SELECT community_id, event_id, words, ARRAY[cast(:id AS bigint)] FROM festival_pictures"
    )
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(copied, {"id": second.id})


def test_attendance_is_noted_on_the_day_and_counted_in_one_query(session: Session, community: Community) -> None:
    event, clerk, now = planned(session, community), staff(session, community.world, Role.WELFARE), clock.now(session)
    with pytest.raises(Invalid):
        celebrating.settle_event(session, event.id, held_on=event.held_on, place=" ", actor=clerk, now=now)
    celebrating.settle_event(session, event.id, held_on=event.held_on, place="文化广场", actor=clerk, now=now)
    assert session.scalars(select(Alarm.cleared_at).where(Alarm.kind == "festival_planned")).one() == now
    with pytest.raises(hosting.NotYetHeld):
        hosting.note_attendance(session, event.id, [], actor=clerk, now=now - timedelta(days=1))
    first = invitations(session, event)[0]
    hosting.note_attendance(session, event.id, [first.id], actor=clerk, now=now)
    with statements(session) as sent:
        (row,) = celebrating.list_events(session, actor=clerk)
        celebrating.invitations_of(session, event.id, actor=clerk)
    assert len(sent) == 2
    assert (row.invited, row.came, row.event.state) == (3, 1, "held")
    with pytest.raises(NotFound):
        celebrating.find_event(session, event.id, actor=staff(session, make_world(session), Role.CENTRE))
