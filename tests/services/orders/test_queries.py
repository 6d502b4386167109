"""Lists by key-set paging, filters, the board, and how many statements they cost."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Role
from dispatch.services import orders
from dispatch.services.orders import OrderDraft, OrderFilters
from dispatch.services.orders.queries import read_cursor
from tests.factories.world import World, make_world, staff
from tests.services.orders.test_life import Links, routed
from tests.statements import statements

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def place_many(session: Session, world: World, count: int) -> list[Order]:
    """Orders, a minute apart."""
    operator = staff(session, world, Role.OPERATOR)
    draft = OrderDraft("堵了", service_code="drain_clearing", stairwell_id=world.stairwells[0].id)
    return [orders.place(session, draft, actor=operator, now=NOW + timedelta(minutes=one)) for one in range(count)]


def test_pages_follow_each_other_without_gap_or_repeat(session: Session, world: World) -> None:
    made = place_many(session, world, 7)
    actor, cursor, seen = staff(session, world, Role.OPERATOR), None, []
    while True:
        page = orders.list_orders(session, actor=actor, filters=OrderFilters(), cursor=cursor, limit=3)
        seen += [order.number for order in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == [order.number for order in reversed(made)]


def test_every_filter_narrows(session: Session, world: World) -> None:
    made = place_many(session, world, 4)
    orders.route(session, made[0].id, now=NOW)
    actor = staff(session, world, Role.OPERATOR)

    def numbers(**filters: object) -> list[str]:
        page = orders.list_orders(
            session,
            actor=actor,
            filters=OrderFilters(**filters),  # type: ignore[arg-type]
            cursor=None,
            limit=50,
        )
        return [order.number for order in page.items]

    assert numbers(states=("offered",)) == [made[0].number]
    assert numbers(team_id=world.line.id) == [made[0].number]
    assert len(numbers(area_id=world.area.id)) == 4
    assert numbers(area_id=world.area.id + 1) == []
    assert numbers(urgency="emergency") == []
    assert len(numbers(service_ids=(world.plumbing.id,))) == 4
    assert numbers(placed_from=NOW + timedelta(minutes=3)) == [made[3].number]
    assert numbers(placed_until=NOW + timedelta(minutes=1)) == [made[0].number]
    assert numbers(performer_id=world.firms[0].id) == []
    session.execute(text("UPDATE orders SET service_due_at = '2100-01-01'"))
    session.execute(text("UPDATE orders SET service_due_at = '2000-01-01' WHERE id = :id"), {"id": made[2].id})
    assert numbers(only_late=True) == [made[2].number]


@given(st.text(max_size=60))
def test_a_cursor_that_we_did_not_write_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_cursor(cursor)
    assert refused.value.field == "cursor"


def test_others_communities_are_in_no_list_and_no_board(session: Session, world: World) -> None:
    place_many(session, world, 2)
    elsewhere = staff(session, make_world(session), Role.DISPATCHER)
    page = orders.list_orders(session, actor=elsewhere, filters=OrderFilters(), cursor=None, limit=10)
    board = orders.board(session, actor=elsewhere, now=NOW)
    assert (page.items, board.counts_by_state) == ([], {})


@pytest.mark.parametrize("count", [2, 12])
def test_list_and_board_cost_the_same_statements_however_many_orders(
    session: Session, world: World, count: int
) -> None:
    place_many(session, world, count)
    actor = staff(session, world, Role.DISPATCHER)
    with statements(session) as listing:
        orders.list_orders(session, actor=actor, filters=OrderFilters(), cursor=None, limit=50)
    with statements(session) as looking:
        orders.board(session, actor=actor, now=NOW)
    assert (len(listing), len(looking)) == (1, 7)


def test_placing_is_one_writing_statement(session: Session, world: World) -> None:
    place_many(session, world, 1)
    operator = staff(session, world, Role.OPERATOR)
    draft = OrderDraft("堵了", service_code="drain_clearing", stairwell_id=world.stairwells[0].id)
    with statements(session) as seen:
        orders.place(session, draft, actor=operator, now=NOW)
    writing = [one for one in seen if "INSERT" in one or "UPDATE" in one]
    assert len(writing) == 1
    assert len(seen) <= 6


@pytest.mark.parametrize("count", [1, 20])
def test_routing_costs_the_same_statements_for_one_order_and_for_twenty(session: Session, count: int) -> None:
    world = make_world(session, firms=8)
    made = place_many(session, world, count)
    orders.route(session, place_many(session, world, 1)[0].id, now=NOW)
    with statements(session) as seen:
        orders.route_many(session, [order.id for order in made], now=NOW)
    assert len(seen) <= 12


def test_what_routing_wrote_of_an_order_needs_no_second_writing(session: Session) -> None:
    world = make_world(session, firms=3)
    order = place_many(session, world, 1)[0]
    orders.route(session, order.id, now=NOW)
    assert (order.state, order.rounds, order.version) == ("offered", 1, 5)
    with statements(session) as seen:
        session.flush()
    assert seen == []
    session.refresh(order)
    assert (order.state, order.rounds, order.version) == ("offered", 1, 5)


def test_an_order_is_late_until_its_work_is_done_and_not_while_it_is_answered_and_called_back(
    session: Session, world: World, links: Links
) -> None:
    order = routed(session, world)
    token = next(iter(links(order).values()))
    orders.accept(session, token, now=NOW)
    reader, later = staff(session, world, Role.DISPATCHER), NOW + timedelta(days=3)
    assert [one.id for one in orders.board(session, actor=reader, now=later).late] == [order.id]
    orders.arrive(session, token, now=NOW)
    orders.finish(session, token, orders.WorkReport("done"), now=NOW)
    assert orders.board(session, actor=reader, now=later).late == []
