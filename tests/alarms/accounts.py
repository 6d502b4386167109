"""What must be true of a town of devices after a storm, whatever died meanwhile."""

from collections import Counter

from sqlalchemy import func, select

from dispatch.models.care import AlarmDevice, AlarmEvent, AlarmState
from dispatch.models.orders import Order
from dispatch.queue import Job
from tests.conftest import Database


def check(database: Database, pressed: list[str]) -> None:
    """Each press is one event and one emergency order with its job; every device was heard."""
    with database.session() as session:
        events = session.execute(
            select(AlarmDevice.account, AlarmEvent.order_id).join(AlarmEvent, AlarmEvent.device_id == AlarmDevice.id)
        ).all()
        assert Counter(account for account, _ in events) == Counter(pressed)
        placed = session.scalars(select(Order.id).where(Order.origin == "care.alarm", Order.urgency == "emergency"))
        assert Counter(order_id for _, order_id in events) == Counter(placed)
        routed = select(Job.reference).where(Job.kind == "orders.route")
        assert Counter(session.scalars(routed)) == Counter(order_id for _, order_id in events)
        silent = select(func.count()).select_from(AlarmState).where(AlarmState.heard_at.is_(None))
        assert session.execute(silent).scalar_one() == 0
