"""What a hint sets going in a worker: the lane it names, and the notices of a few orders at once."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import select

from dispatch import clock
from dispatch.gateways.broker import Broker, Recorded
from dispatch.gateways.messages import Messages
from dispatch.gateways.messages.twins import Remembered
from dispatch.models.notify import Notice
from dispatch.models.orders import Order
from dispatch.queue import Job
from dispatch.rules.access.roles import EVERYTHING, Role
from dispatch.rules.queue import MOST_NOTICES, Lane
from dispatch.services import orders
from dispatch.services.access import vault
from dispatch.transaction import Doors, keeping_hints, transaction
from dispatch.workers import app, run
from tests.conftest import Database
from tests.factories.world import make_world, staff


@pytest.fixture
def sent(committed: Database) -> Iterator[Recorded]:
    """The hints that left."""
    before, Doors.engine = (Broker.way, Doors.engine), committed.engine
    Broker.way = recorded = Recorded()
    yield recorded
    Broker.way, Doors.engine = before
    run.Holder.forget()


@pytest.fixture
def receivers() -> Iterator[Remembered]:
    """Receivers in memory."""
    before, Messages.way = Messages.way, Remembered()
    yield Messages.way
    Messages.way = before


def place(database: Database, count: int, **changes: str) -> datetime:
    """Orders that wait to be routed, to a firm that is told by webhook."""
    with database.session() as session:
        world = make_world(session, firms=1)
        (firm,) = world.firms
        firm.channel, firm.capacity = "webhook", count
        firm.webhook_secret = vault.seal(f"performers.webhook_secret.{firm.uid}", "shared")
        actor, now = staff(session, world, Role.OPERATOR), clock.now(session)
        for _ in range(count):
            draft = orders.OrderDraft(
                "厨房下水道堵了", service_code="drain_clearing", stairwell_id=world.stairwells[0].id, **changes
            )
            orders.place(session, draft, actor=actor, now=now)
        session.commit()
        return now


def states(database: Database) -> set[str]:
    """The states of all orders."""
    with database.session() as session:
        return set(session.scalars(select(Order.state)))


@pytest.mark.parametrize(("urgency", "lane"), [("same_day", Lane.DISPATCH), ("emergency", Lane.EMERGENCY)])
def test_the_notice_of_one_order_leaves_from_the_worker_that_routed_it(
    committed: Database, sent: Recorded, receivers: Remembered, urgency: str, lane: Lane
) -> None:
    place(committed, 1, urgency=urgency)

    assert app.serve(lane) == 1

    assert states(committed) == {"offered"}
    assert len(receivers.arrivals) == 1
    assert sent.hints == []
    with committed.session() as session:
        assert session.scalars(select(Notice.state)).all() == ["delivered"]
        done = session.scalars(select(Job.kind).where(Job.done_at.is_not(None)).order_by(Job.kind)).all()
        assert done == ["notify.deliver", "orders.route"]


def test_the_notices_of_many_orders_are_left_to_all_workers(
    committed: Database, sent: Recorded, receivers: Remembered
) -> None:
    place(committed, MOST_NOTICES + 1)

    assert app.serve(Lane.DISPATCH) == MOST_NOTICES + 1

    assert receivers.arrivals == []
    assert [lane for lane, _ in sent.hints] == [Lane.NOTIFY]


def test_more_notices_than_one_claim_takes_are_hinted_at_after_it(
    committed: Database, sent: Recorded, receivers: Remembered
) -> None:
    place(committed, MOST_NOTICES)

    app.serve(Lane.DISPATCH)

    assert len(receivers.arrivals) == MOST_NOTICES
    assert [lane for lane, _ in sent.hints] == [Lane.NOTIFY]


def test_kept_hints_are_sent_when_their_keeper_fails(committed: Database, sent: Recorded) -> None:
    now = place(committed, 1)
    with committed.session() as session:
        order_id = session.scalars(select(Order.id)).one()

    with pytest.raises(RuntimeError), keeping_hints(frozenset({Lane.NOTIFY})):  # noqa: PT012 - the block that fails
        with transaction(EVERYTHING) as session:
            orders.route(session, order_id, now=now)
        assert sent.hints == []
        raise RuntimeError

    assert [lane for lane, _ in sent.hints] == [Lane.NOTIFY]
