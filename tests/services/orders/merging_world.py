"""Orders to merge and people who call about them, for the tests about callers."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, Role
from dispatch.rules.grid.phone import normalise_phone
from dispatch.rules.orders.callback import AfterCallback
from dispatch.services import orders
from dispatch.services.access import vault
from dispatch.services.orders import OrderDraft, WorkReport, callers
from tests.factories.world import World, staff

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
Links = Callable[[Order], dict[int, str]]
OTHERS = [f"1740000000{digit}" for digit in range(2, 7)]


def placed(session: Session, world: World, **changes: object) -> Order:
    """An order placed by an operator."""
    values: dict[str, object] = {
        "description": "厨房下水道堵了",
        "service_code": "drain_clearing",
        "stairwell_id": world.stairwells[0].id,
        "room": "501",
        "caller_phone": "17400000001",
        "caller_name": "王某",
    }
    draft = OrderDraft(**(values | changes))  # type: ignore[arg-type]
    return orders.place(session, draft, actor=staff(session, world, Role.OPERATOR), now=NOW)


def operator(session: Session, world: World) -> Actor:
    return staff(session, world, Role.OPERATOR)


def actions(session: Session, order: Order) -> list[str]:
    return [event.action for event in orders.time_line(session, order)]


def numbers_waiting(session: Session, order: Order) -> set[bytes]:
    """The blind indexes of everybody who is called back about the order."""
    indexes = {one.phone_index for one in callers.waiting_for(session, order)} | {order.phone_index}
    return {one for one in indexes if one is not None}


def index(phone: str) -> bytes:
    return vault.blind_index("phone", normalise_phone(phone))


def check(session: Session) -> None:
    """Let the deferred triggers judge now, as a commit would."""
    session.flush()
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    session.execute(text("SET CONSTRAINTS ALL DEFERRED"))


def fed_back(session: Session, world: World, links: Links) -> Order:
    """An order whose work is done and whose answer was given."""
    order = placed(session, world)
    orders.route(session, order.id, now=NOW)
    (token,) = links(order).values()
    orders.accept(session, token, now=NOW)
    orders.finish(session, token, WorkReport("done"), now=NOW)
    orders.feed_back(session, order, answer="已修好", actor=staff(session, world, Role.TEAM_HEAD), now=NOW)
    return order


def answer(
    session: Session,
    order: Order,
    world: World,
    caller_id: int | None,
    rated: str = "satisfied",
    *,
    solved: bool = True,
) -> AfterCallback:
    """Somebody is reached at the time that the list says."""
    assert order.callback_due_at is not None
    return orders.record_callback(
        session,
        order,
        caller_id=caller_id,
        reached=True,
        contacted=True,
        solved=solved,
        satisfaction=rated,
        actor=staff(session, world, Role.CALLBACK_CLERK),
        now=order.callback_due_at,
    )
