"""What can be asked of a complaint that an address names, and of an order to complain about."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Role
from dispatch.rules.orders.complaints import ComplaintKind
from dispatch.services import orders
from dispatch.services.orders import OrderDraft
from tests.factories.world import World, staff

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]


def taken(session: Session, world: World) -> Order:
    """An order that a firm has taken."""
    now = clock.now(session)
    draft = OrderDraft("厨房下水道堵了", service_code="drain_clearing", stairwell_id=world.stairwells[0].id)
    order = orders.place(session, draft, actor=staff(session, world, Role.OPERATOR), now=now)
    orders.route(session, order.id, now=now)
    session.refresh(order)
    ((offer, recipient, _),) = orders.offers_of(session, order)
    orders.accept(session, orders.NamedRound(recipient.performer_id, order.number, offer.round), now=now)
    return order


def blamed(session: Session, world: World, _user_id: int) -> str:
    """The number of such an order."""
    return taken(session, world).number


def complained(session: Session, world: World, user_id: int, *, by_user: bool = False) -> str:
    """A complaint that the firm has not answered, of an operator or of the user."""
    operator = staff(session, world, Role.OPERATOR)
    raiser = replace(operator, user_id=user_id) if by_user and user_id else operator
    order = taken(session, world)
    asked = {"words": "又堵了", "actor": raiser, "now": clock.now(session)}
    return str(orders.raise_complaint(session, order, ComplaintKind.QUALITY, **asked).id)


def own_complaint(session: Session, world: World, user_id: int) -> str:
    """The same, raised by the user."""
    return complained(session, world, user_id, by_user=True)


def heard(session: Session, world: World, user_id: int) -> str:
    """A complaint that the firm has answered."""
    found = complained(session, world, user_id)
    desk = staff(session, world, Role.OPERATOR)
    number = orders.order_complained_about(session, int(found), actor=desk)
    order = orders.find(session, number, actor=desk, locked=True)
    orders.answer_complaint(session, order, int(found), answer="不是", actor=desk, now=clock.now(session))
    return found


ORDER = "/orders/<number>/complaints"
COMPLAINT = "/complaints/<int(min=1, max=9223372036854775807):complaint_id>"
SOMEBODY_ELSE_RAISED = 403
A_COMPLAINT = {"kind": "attitude", "words": "说话难听"}

COMPLAINT_DEEDS: dict[tuple[str, str], Row] = {
    ("GET", f"/api{ORDER}"): (blamed, 200, lambda _: {}),
    ("POST", f"/api{ORDER}"): (blamed, 200, lambda _: A_COMPLAINT),
    ("POST", f"/api{COMPLAINT}/answer"): (complained, 200, lambda _: {"answer": "不是"}),
    ("POST", f"/api{COMPLAINT}/decision"): (heard, 200, lambda _: {"upheld": False, "reason": "看过"}),
    ("DELETE", f"/api{COMPLAINT}"): (complained, SOMEBODY_ELSE_RAISED, lambda _: {}),
    ("POST", ORDER): (blamed, 303, lambda _: A_COMPLAINT),
    ("POST", f"{COMPLAINT}/answer"): (complained, 303, lambda _: {"answer": "不是"}),
    ("POST", f"{COMPLAINT}/decision"): (heard, 303, lambda _: {"upheld": "no", "reason": "看过"}),
    ("POST", f"{COMPLAINT}/withdrawal"): (own_complaint, 303, lambda _: {}),
}
