"""A number that is taken: the order takes another, and nothing of the first try stays."""

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.models.orders import Order
from dispatch.rules.access.roles import Role
from dispatch.services.orders import OrderDraft
from dispatch.services.orders.place import insert_order, prepare
from tests.factories.world import World, staff

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def test_a_taken_number_inserts_nothing_and_says_so(session: Session, world: World) -> None:
    operator = staff(session, world, Role.OPERATOR)
    draft = OrderDraft("堵了", service_code="drain_clearing", stairwell_id=world.stairwells[0].id)
    prepared = prepare(session, draft, actor=operator, now=NOW)
    first = insert_order(session, prepared, "HQ2611230000000", actor=operator, now=NOW)
    again = insert_order(session, prepared, "HQ2611230000000", actor=operator, now=NOW)
    assert first is not None
    assert again is None
    assert session.scalar(select(func.count()).select_from(Order).where(Order.number == "HQ2611230000000")) == 1
