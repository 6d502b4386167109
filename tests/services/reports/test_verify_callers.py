"""`dispatch verify` names a merge or a caller that was broken by hand."""

import pytest
from sqlalchemy import select

from dispatch import clock
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Role
from dispatch.services import orders
from tests.conftest import Database
from tests.factories.world import make_world, staff
from tests.services.reports.test_verify import as_owner, broken, place

BY_HAND = "ALTER TABLE orders DISABLE TRIGGER USER; ALTER TABLE order_callers DISABLE TRIGGER USER; "
"""Past every trigger: what a careless hand of the owner leaves behind."""


@pytest.fixture
def merged(committed: Database) -> Database:
    """Two orders merged into a third, and somebody who called about it too."""
    with committed.session() as session:
        world = make_world(session)
        now, actor = clock.now(session), staff(session, world, Role.OPERATOR)
        first, second, third = (place(session, world, caller_phone=f"1740000000{number}") for number in (1, 2, 3))
        orders.merge(session, first, second, actor=actor, now=now)
        orders.merge(session, second, third, actor=actor, now=now)
        orders.repeat_call(session, third, phone="17400000009", actor=actor, now=now)
        session.commit()
    return committed


def test_merged_orders_and_their_callers_hold(merged: Database) -> None:
    assert [line for line in broken(merged) if "audit" not in line] == []


TAMPERINGS: list[tuple[str, str]] = [
    ("UPDATE orders SET merged_into_id = {0} WHERE id = {1}", "does not end"),
    ("DELETE FROM order_callers WHERE home_id = {0}", "its caller waits nowhere"),
    ("UPDATE order_callers SET order_id = {1} WHERE home_id = {0}", "has not gone"),
    ("UPDATE order_callers SET left_at = now() WHERE home_id = {2}", "a number that called about it waits nowhere"),
    ("UPDATE orders SET repeat_calls = 7 WHERE id = {2}", "7 repeated calls were counted on orders, 1 on"),
    (
        (
            "DROP INDEX ix_order_callers_waiting; UPDATE order_callers SET phone_index = "
            "(SELECT phone_index FROM orders WHERE id = {0}) WHERE home_id = {2}"
        ),
        "2 rows wait for one caller",
    ),
]


@pytest.mark.parametrize(("statement", "found"), TAMPERINGS)
def test_what_is_broken_by_hand_is_found(merged: Database, statement: str, found: str) -> None:
    with merged.session() as session:
        ids = list(session.scalars(select(Order.id).order_by(Order.id)))
    as_owner(merged, BY_HAND + statement.format(*ids))
    assert [line for line in broken(merged) if found in line], broken(merged)
