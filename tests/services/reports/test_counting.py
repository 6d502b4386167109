"""Changed orders are counted by themselves: against a count by hand, one by SQL, kills, repeats, and moves."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from dispatch.models.orders import Order
from dispatch.models.reports import FigureTotal, HeatTotal, OrderChange, OrderCount
from dispatch.rules.reports.counts import MEASURES, Counts
from dispatch.rules.reports.keeping import Kept
from dispatch.services import orders, reports
from dispatch.services.orders import canary
from dispatch.services.reports.verify.figures import wrong_figures
from tests.conftest import Database
from tests.factories.reported import DAY, HOUR, LATER, MINUTE, MORNING, Lives, live_a_week, lives_of
from tests.factories.world import make_world, service
from tests.statements import statements

MIGRATIONS = Path(__file__).parents[3] / "migrations" / "sql"
BY_HAND = Counts(
    placed=10,
    repeat_base=9,
    repeated=1,
    dispatched=10,
    returned=0,
    misrouted=1,
    overridden=1,
    to_sign=0,
    offered=10,
    rounds=14,
    first_answered=7,
    first_accepted=6,
    accepted=8,
    accept_seconds=6 * 300 + 600 + 420,
    arrivals_due=9,
    arrived_in_time=5,
    due=9,
    due_closed=4,
    closed_in_time=4,
    answers_due=9,
    answered_in_time=5,
    finished=7,
    closed=4,
    called=4,
    reopened=2,
    valued=4,
    contacted=3,
    solved=3,
    very_satisfied=1,
    satisfied=1,
    basically_satisfied=1,
    very_dissatisfied=1,
)
"""The ten orders of live_a_week, counted by hand."""


@pytest.fixture
def lives(session: Session) -> Lives:
    """A small world in the test's own transaction."""
    return lives_of(session, make_world(session))


def totals(session: Session, lives: Lives, grain: str = "day", kept_by: Kept = Kept.EACH, **equal: object) -> Counts:
    """The sum of all rows of a grain of the world's community that are kept by something."""
    sums = [func.coalesce(func.sum(getattr(FigureTotal, name)), 0).label(name) for name in MEASURES]
    query = select(*sums).where(
        FigureTotal.community_id == lives.world.community.id, FigureTotal.grain == grain, FigureTotal.kept_by == kept_by
    )
    return Counts.of(session.execute(query.filter_by(**equal)).mappings().one())


def test_a_week_of_orders_comes_to_what_is_counted_by_hand(session: Session, lives: Lives) -> None:
    live_a_week(lives)
    lives.counted()
    for grain in ("day", "week", "month"):
        assert {kept: totals(session, lives, grain, kept) for kept in Kept} == dict.fromkeys(Kept, BY_HAND), grain
    assert list(wrong_figures(session, LATER)) == []


def test_an_order_made_confidential_counts_as_before_but_is_compared_with_none(session: Session, lives: Lives) -> None:
    made = live_a_week(lives)
    lives.counted()
    for order in made.values():
        orders.conceal(session, order, reason="居民要求", actor=lives.dispatcher, now=order.updated_at)
    assert session.scalars(select(OrderChange.order_id)).all() != []
    lives.counted()
    hidden = replace(BY_HAND, repeat_base=0, repeated=0)
    assert {kept: totals(session, lives, "day", kept) for kept in Kept} == dict.fromkeys(Kept, hidden)
    kinds = select(FigureTotal.service_id).where(
        FigureTotal.kept_by.in_(["kind", "work", "each"]), FigureTotal.placed > 0
    )
    assert set(session.scalars(kinds)) == {None}
    places = select(HeatTotal.building_id).where(HeatTotal.kept_by == "building", HeatTotal.placed > 0)
    assert set(session.scalars(places)) == {None}
    assert list(wrong_figures(session, LATER)) == []


def test_each_order_counts_on_its_days(session: Session, lives: Lives) -> None:
    live_a_week(lives)
    lives.counted()
    monday = date(2026, 11, 2)
    by_day = {monday + n * DAY: totals(session, lives, first_day=monday + n * DAY) for n in range(21)}
    assert {day: counts.placed for day, counts in by_day.items() if counts.placed} == {
        monday: 8,
        monday + DAY: 1,
        monday + 3 * DAY: 1,
    }
    assert {day: counts.called for day, counts in by_day.items() if counts.called} == {
        monday + DAY: 2,
        monday + 2 * DAY: 2,
    }
    assert {day: counts.closed for day, counts in by_day.items() if counts.closed} == {
        monday + DAY: 2,
        monday + 2 * DAY: 2,
    }
    assert by_day[monday + 20 * DAY].finished == 1


def test_the_totals_by_team_kind_and_firm_are_those_of_independent_sql(session: Session, lives: Lives) -> None:
    live_a_week(lives)
    lives.counted()
    world = lives.world
    line = totals(session, lives, lead_team_id=world.line.id)
    block = totals(session, lives, lead_team_id=world.block.id)
    assert (line.placed, block.placed, line.placed + block.placed) == (7, 3, 10)
    assert totals(session, lives, accountable_team_id=world.block.id).placed == 10
    assert totals(session, lives, service_id=world.gossip.id).very_dissatisfied == 1
    last_finish = text(
        "SELECT performer_id, count(*) AS orders FROM (SELECT DISTINCT ON (order_id) event.performer_id "
        "FROM order_events AS event JOIN orders ON orders.id = order_id WHERE action = 'finish' "
        "AND community_id = :community ORDER BY order_id, event.version DESC) AS last GROUP BY 1"
    )
    finished = dict(session.execute(last_finish, {"community": world.community.id}).all())
    assert finished == {
        one.id: counts.finished
        for one in world.firms
        if (counts := totals(session, lives, performer_id=one.id)).finished
    }


def test_counting_twice_or_step_by_step_is_the_same(session: Session, lives: Lives) -> None:
    made = live_a_week(lives)
    while reports.count_changes(session, now=LATER, most=1):
        pass
    assert totals(session, lives) == BY_HAND
    for order in made.values():
        session.add(OrderChange(order_id=order.id))
    session.flush()
    lives.counted()
    assert totals(session, lives) == BY_HAND


def test_an_order_takes_its_counts_along_when_it_gets_another_place_or_team(session: Session, lives: Lives) -> None:
    order = lives.placed(stairwell_id=None, address_text="月亮背面")
    lives.counted()
    assert totals(session, lives) == Counts()
    actor = lives.operator
    orders.settle(session, order, stairwell_id=lives.world.stairwells[0].id, actor=actor, now=MORNING + DAY)
    lives.counted()
    assert totals(session, lives, lead_team_id=None).placed == 1
    orders.route(session, order.id, now=MORNING + DAY)
    lives.counted()
    assert totals(session, lives, lead_team_id=None).placed == 0
    moved = totals(session, lives, lead_team_id=lives.world.line.id)
    assert (moved.placed, moved.dispatched) == (1, 1)
    assert totals(session, lives, first_day=date(2026, 11, 2)).placed == 1
    assert totals(session, lives, first_day=date(2026, 11, 3)).dispatched == 1


@pytest.mark.parametrize("changed", ["void", "nothing"])
def test_a_repeat_is_one_no_more_when_the_first_call_is_taken_back(
    session: Session, lives: Lives, changed: str
) -> None:
    first = lives.placed()
    lives.placed(MORNING + 6 * DAY)
    lives.counted()
    assert totals(session, lives).repeated == 1
    if changed == "void":
        orders.void(
            session, first, reason="打错了", by_resident=True, actor=lives.operator, now=MORNING + 6 * DAY + HOUR
        )
        lives.counted()
    assert totals(session, lives).repeated == (0 if changed == "void" else 1)
    assert list(wrong_figures(session, LATER)) == []


def test_eight_days_later_or_at_another_stairwell_is_no_repeat(session: Session, lives: Lives) -> None:
    lives.placed()
    lives.placed(MORNING + 8 * DAY)
    lives.placed(MORNING + HOUR, stairwell_id=lives.world.stairwells[1].id)
    lives.placed(MORNING + HOUR, service_code="mediation")
    lives.counted()
    assert totals(session, lives).repeated == 0


def test_kinds_outside_the_figures_and_the_canary_never_count(session: Session, lives: Lives) -> None:
    hidden = service(session, lives.world.district, "hidden", in_figures=False)
    lives.placed(service_code=None, service_id=hidden.id)
    service(session, lives.world.district, "canary", urgency="urgent", callback=False, in_figures=True)
    before = reports.waiting_changes(session)
    assert canary.place_canary(session, "2026-09-30T23:59", now=MORNING) is not None
    assert reports.waiting_changes(session) == before
    lives.counted()
    assert session.scalars(select(OrderCount)).all() == []
    assert session.scalars(select(FigureTotal)).all() == []


def test_a_day_in_shanghai_ends_at_its_own_midnight(session: Session, lives: Lives) -> None:
    lives.placed(MORNING.replace(hour=15, minute=59))
    lives.placed(MORNING.replace(hour=16), stairwell_id=lives.world.stairwells[1].id)
    lives.counted()
    assert totals(session, lives, first_day=date(2026, 11, 2)).placed == 1
    assert totals(session, lives, first_day=date(2026, 11, 3)).placed == 1
    hours = session.execute(
        select(HeatTotal.first_day, HeatTotal.hour, HeatTotal.placed)
        .where(HeatTotal.grain == "day", HeatTotal.kept_by == "hour")
        .order_by(HeatTotal.first_day)
    ).all()
    assert [tuple(row) for row in hours] == [(date(2026, 11, 2), 23, 1), (date(2026, 11, 3), 0, 1)]


def test_counting_everything_anew_comes_to_the_same(session: Session, lives: Lives) -> None:
    live_a_week(lives)
    lives.counted()
    assert reports.count_anew(session, now=LATER) == 10
    assert totals(session, lives) == Counts()
    lives.counted()
    assert totals(session, lives) == BY_HAND


def test_a_count_that_is_killed_has_not_happened(committed: Database) -> None:
    with committed.session() as session:
        lives = lives_of(session, make_world(session))
        lives.placed()
        session.commit()
    with committed.session() as killed:
        assert reports.count_changes(killed, now=LATER) > 0
        killed.rollback()
    with committed.session() as session:
        assert session.scalars(select(FigureTotal)).all() == []
        lives.session.close()
        while reports.count_changes(session, now=LATER):
            pass
        session.commit()
        assert (
            sum(
                session.scalars(
                    select(FigureTotal.placed).where(FigureTotal.grain == "day", FigureTotal.kept_by == "all")
                )
            )
            == 1
        )


def test_a_limit_counts_from_when_it_has_passed_or_was_met(session: Session, lives: Lives) -> None:
    kept, missed = (lives.placed(stairwell_id=lives.world.stairwells[n].id) for n in range(2))
    due = kept.arrive_due_at
    assert due is not None
    assert missed.arrive_due_at == due
    lives.counted(MORNING)
    assert (totals(session, lives).arrivals_due, totals(session, lives).due) == (0, 0)

    orders.accept(session, lives.token(kept), now=MORNING + MINUTE)
    orders.arrive(session, lives.token(kept), now=MORNING + 2 * MINUTE)
    lives.counted(MORNING + 2 * MINUTE)
    met = totals(session, lives)
    assert (met.arrivals_due, met.arrived_in_time, met.due, met.answers_due) == (1, 1, 0, 0)

    assert not reports.ask_for_count(session, now=due)
    assert list(wrong_figures(session, due)) == []
    assert list(wrong_figures(session, due + MINUTE)) == []
    assert reports.ask_for_count(session, now=due + MINUTE)
    assert list(wrong_figures(session, due + MINUTE)) == []
    lives.counted(due + MINUTE)
    passed = totals(session, lives)
    assert (passed.arrivals_due, passed.arrived_in_time, passed.due) == (2, 1, 0)
    assert list(wrong_figures(session, due + MINUTE)) == []


def test_the_civic_limit_counts_for_the_team_that_answered_before_it_counts_for_the_centre(
    session: Session, lives: Lives
) -> None:
    order = lives.placed()
    lives.done(order, MORNING + MINUTE)
    lives.counted(MORNING + DAY)
    answered = totals(session, lives)
    assert (answered.answers_due, answered.answered_in_time, answered.due) == (1, 1, 0)
    lives.counted(order.civic_due_at)
    assert totals(session, lives) == answered
    assert reports.ask_for_count(session, now=order.civic_due_at + MINUTE)
    lives.counted(order.civic_due_at + MINUTE)
    passed = totals(session, lives)
    assert (passed.answers_due, passed.answered_in_time, passed.due, passed.due_closed) == (1, 1, 1, 0)


def test_counters_at_once_wait_for_each_other_and_count_everything_once(committed: Database) -> None:
    with committed.session() as session:
        lives = lives_of(session, make_world(session))
        for number in range(8):
            lives.placed(MORNING + number * MINUTE, stairwell_id=lives.world.stairwells[number % 6].id)
        session.commit()

    def count_all() -> None:
        with committed.session() as session:
            while reports.count_changes(session, now=LATER, most=2):
                session.commit()

    with ThreadPoolExecutor(max_workers=3) as pool:
        for done in [pool.submit(count_all) for _ in range(3)]:
            done.result(timeout=60)
    with committed.session() as session:
        assert totals(session, lives, kept_by=Kept.ALL).placed == 8
        assert list(wrong_figures(session, LATER)) == []


def test_what_an_older_house_has_counted_is_added_up_by_its_migrations(session: Session, lives: Lives) -> None:
    live_a_week(lives)
    lives.counted()
    session.execute(text("DELETE FROM figure_totals WHERE kept_by <> 'each'"))
    session.execute(text("UPDATE figure_totals SET answers_due = 0"))
    assert list(wrong_figures(session, LATER))
    for name, begins in (("kept_totals", "INSERT INTO figure_totals"), ("limits_of_counts", "UPDATE figure_totals")):
        steps = (MIGRATIONS / f"{name}.sql").read_text(encoding="utf-8").split(";")
        (step,) = [step for step in steps if step.lstrip().startswith(begins)]
        session.execute(text(step))
    assert list(wrong_figures(session, LATER)) == []
    assert totals(session, lives, kept_by=Kept.FIRM) == BY_HAND


BREAKS: dict[str, tuple[str, str]] = {
    "total": ("UPDATE figure_totals SET placed = placed + 1 WHERE grain = 'month' AND placed > 0", "placed is"),
    "kept": ("UPDATE figure_totals SET finished = finished + 1 WHERE kept_by = 'firm'", "finished is"),
    "of another": ("UPDATE figure_totals SET placed = placed + 1 WHERE kept_by = 'all' AND grain = 'day'", "by all"),
    "row": ("DELETE FROM figure_totals WHERE grain = 'day'", "in the totals"),
    "sheet": ("UPDATE order_counts SET is_reached = NOT is_reached", "counted with another is_reached"),
    "missing": ("DELETE FROM order_counts", "it is in no figure"),
    "heat": ("UPDATE heat_totals SET placed = placed + 1 WHERE grain = 'week'", "heat of week"),
    "hour": ("UPDATE heat_totals SET placed = placed + 1 WHERE kept_by = 'hour'", "by hour"),
}


@pytest.mark.parametrize("name", sorted(BREAKS))
def test_verify_finds_what_was_changed_by_hand(session: Session, lives: Lives, name: str) -> None:
    lives.placed()
    lives.counted()
    assert list(wrong_figures(session, LATER)) == []
    statement, words = BREAKS[name]
    session.execute(text(statement))
    assert any(words in line for line in wrong_figures(session, LATER))


def test_an_order_that_waits_to_be_counted_is_no_difference(session: Session, lives: Lives) -> None:
    order = lives.placed()
    lives.counted()
    orders.accept(session, lives.token(order), now=MORNING + MINUTE)
    assert list(wrong_figures(session, LATER)) == []
    lives.counted()
    assert totals(session, lives).accepted == 1


def test_a_job_is_asked_for_once_while_something_waits(session: Session, lives: Lives) -> None:
    assert not reports.ask_for_count(session, now=LATER)
    lives.placed()
    assert reports.ask_for_count(session, now=LATER)
    assert not reports.ask_for_count(session, now=LATER)


def test_the_number_of_statements_does_not_grow_with_the_orders(session: Session, lives: Lives) -> None:
    lives.placed()
    with statements(session) as one:
        reports.count_changes(session, now=LATER)
    for number in range(1, 12):
        lives.placed(MORNING + 8 * number * DAY)
    with statements(session) as many:
        reports.count_changes(session, now=LATER)
    assert len(many) <= len(one)


def test_the_statement_of_the_quarter_says_what_the_totals_say(session: Session, lives: Lives) -> None:
    live_a_week(lives)
    lives.counted()
    lives.world.community.created_at = MORNING
    session.flush()
    reports.make_statements(session, "2026-Q4", now=MORNING + 100 * DAY)
    page = reports.list_statements(session, cursor=None, limit=1)
    said = page.items[0][0].body["total"]
    assert (said["placed"], said["closed"]) == (BY_HAND.placed, BY_HAND.closed)
    assert said["reopened"] == BY_HAND.reopened
    assert session.scalars(select(func.count()).select_from(Order)).one() >= BY_HAND.placed
