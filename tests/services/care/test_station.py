"""The station: who came is counted by kind, who must be gone to is an order; work is sought by consent until a day."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.care import StationVisit
from dispatch.models.orders import Order
from dispatch.rules.access.roles import EVERYTHING, SYSTEM, Role
from dispatch.rules.care import station as rule
from dispatch.rules.care.station import Ended, Found
from dispatch.services.care.station import Came, KindCount, counting, jobs
from dispatch.transaction import transaction
from tests.conftest import Database
from tests.factories.station import introduced, make_seeker, make_vacancy, station_kind
from tests.factories.world import World, make_world, staff
from tests.services.care.test_counselling import PEOPLE, at_once
from tests.statements import statements


@pytest.fixture
def world(session: Session) -> World:
    return make_world(session)


def test_who_came_is_counted_by_kind_and_month_and_where_somebody_must_go_an_order_is_placed(
    session: Session, world: World
) -> None:
    kind, desk = station_kind(session, world), staff(session, world, Role.OPERATOR)
    now, by = clock.now(session), {"actor": desk, "now": clock.now(session)}
    community_id = world.community.id
    address = {"address_text": "1号楼1单元501", "phone": "13900000001"}
    came = Came(kind.id, Ended.ORDERED, visitor="陈桂花", description="擦窗", **address)
    made = counting.note_visit(session, community_id, came, **by)
    order = session.get_one(Order, made.order_id)
    assert (order.source, order.service_id, order.caller_name) == ("station", kind.id, "陈桂花")
    counting.note_visit(session, community_id, Came(kind.id, Ended.REFERRED, referred_to="街道民政办"), **by)
    for field, wrong in (
        ("description", Came(kind.id, Ended.ORDERED)),
        ("referred_to", Came(kind.id, Ended.REFERRED)),
        ("service_id", Came(10**9, Ended.DONE)),
    ):
        with pytest.raises(Invalid) as refused:
            counting.note_visit(session, community_id, wrong, **by)
        assert refused.value.field == field
    edges = [datetime(2025, 12, 31, 16, tzinfo=UTC), datetime(2025, 12, 31, 15, 59, tzinfo=UTC)]
    about = {"community_id": community_id, "service_id": kind.id, "ended": "done"}
    session.add_all(StationVisit(came_at=at, **about) for at in edges)
    session.flush()
    months = [0] * 12
    months[0] += 1
    months[clock.today(now).month - 1] += 2
    assert counting.figures(session, clock.today(now).year, actor=desk) == [KindCount("家政服务", tuple(months))]
    assert [one.months[11] for one in counting.figures(session, 2025, actor=desk)] == [1]
    stranger = staff(session, make_world(session), Role.OPERATOR)
    assert counting.figures(session, 2025, actor=stranger) == []
    assert [order for _, _, order in counting.latest(session, actor=desk) if order] == [order.number]


def test_somebody_is_introduced_once_and_the_last_place_ends_the_vacancy(session: Session, world: World) -> None:
    now, by = clock.now(session), {"actor": SYSTEM, "now": clock.now(session)}
    vacancy, seeker = make_vacancy(session, world), make_seeker(session, world)
    sent = jobs.introduce(session, vacancy.id, seeker.id, **by)
    other = jobs.introduce(session, vacancy.id, make_seeker(session, world).id, **by)
    with pytest.raises(rule.IntroducedAlready):
        jobs.introduce(session, vacancy.id, seeker.id, **by)
    jobs.note_outcome(session, sent.id, Found.HIRED, **by)
    assert vacancy.ended_at is not None
    for again in (sent, other):
        with pytest.raises(rule.OutcomeKnown):
            jobs.note_outcome(session, again.id, Found.HIRED, **by)
    with pytest.raises(rule.NotOpenNow):
        jobs.introduce(session, vacancy.id, make_seeker(session, world).id, **by)
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text("UPDATE introductions SET outcome = 'hired', outcome_on = dispatch_now()::date"))
    stranger = staff(session, make_world(session), Role.CENTRE)
    with pytest.raises(NotFound):
        jobs.introduce(session, vacancy.id, seeker.id, actor=stranger, now=now)


def test_of_eight_who_are_hired_at_once_for_two_places_two_are(committed: Database) -> None:
    assert committed
    with transaction(EVERYTHING) as session:
        world = make_world(session)
        vacancy = make_vacancy(session, world, places=2)
        now = clock.now(session)
        people = [make_seeker(session, world).id for _ in range(PEOPLE)]
        sent = [jobs.introduce(session, vacancy.id, one, actor=SYSTEM, now=now).id for one in people]

    def hire(number: int) -> str:
        with transaction(EVERYTHING) as session:
            return jobs.note_outcome(session, sent[number], Found.HIRED, actor=SYSTEM, now=now).outcome

    answers = at_once(hire)
    assert answers.count("hired") == 2
    assert sum(isinstance(one, rule.OutcomeKnown) for one in answers) == PEOPLE - 2


def test_who_seeks_work_is_forgotten_with_their_consent_and_the_outcome_stays(session: Session, world: World) -> None:
    now, by = clock.now(session), {"actor": SYSTEM, "now": clock.now(session)}
    seeker = make_seeker(session, world, phone="13900000001")
    assert seeker.until == clock.today(now) + timedelta(days=90)
    assert jobs.phone_of(seeker) == "+8613900000001"
    assert make_seeker(session, world, phone="139 0000 0001").id == seeker.id
    with pytest.raises(Invalid, match="同意"):
        jobs.register_seeker(session, world.community.id, "林", "13900000002", "x", has_consented=False, **by)
    sent = introduced(session, world)
    jobs.end_seeker(session, seeker.id, **by)
    later = now + timedelta(days=91)
    assert jobs.forget_seekers(session, now=later - timedelta(days=1)) == 0
    assert jobs.forget_seekers(session, now=later) == 1
    assert jobs.forget_seekers(session, now=later) == 0
    session.expire_all()
    assert (seeker.name, seeker.phone, jobs.phone_of(seeker)) == ("—", None, "")
    assert [one.seeker for one in jobs.introductions(session, actor=SYSTEM)] == ["—"]
    assert sent.outcome == "open"
    assert jobs.open_seekers(session, actor=SYSTEM, now=now) == []
    assert make_seeker(session, world, phone="13900000001").id != seeker.id


def test_the_database_introduces_nobody_whose_consent_is_over(session: Session, world: World) -> None:
    sent = introduced(session, world)
    other = make_seeker(session, world)
    session.execute(text("UPDATE job_seekers SET until = dispatch_now()::date - 2 WHERE id = :id"), {"id": other.id})
    late = "INSERT INTO introductions (community_id, vacancy_id, seeker_id) VALUES (:place, :vacancy, :seeker)"
    about = {"place": world.community.id, "vacancy": sent.vacancy_id, "seeker": other.id}
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text(late), about)
    with pytest.raises(rule.NotOpenNow):
        jobs.introduce(session, sent.vacancy_id, other.id, actor=SYSTEM, now=clock.now(session))


def test_the_lists_of_the_station_take_one_query_each_however_long(session: Session, world: World) -> None:
    kind, now = station_kind(session, world), clock.now(session)
    for _ in range(3):
        counting.note_visit(session, world.community.id, Came(kind.id, Ended.DONE), actor=SYSTEM, now=now)
        introduced(session, world)
    with statements(session) as sent:
        assert [one.year for one in counting.figures(session, clock.today(now).year, actor=SYSTEM)] == [3]
        assert len(counting.latest(session, actor=SYSTEM)) == len(jobs.introductions(session, actor=SYSTEM)) == 3
        assert len(jobs.open_vacancies(session, actor=SYSTEM, now=now)) == 3
        assert len(jobs.open_seekers(session, actor=SYSTEM, now=now)) == 3
    assert len(sent) == 5
