"""Orders to merge, to take apart and to split: makers for the deeds about callers."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Role
from dispatch.services import orders
from dispatch.services.orders import OrderDraft
from tests.factories.world import World, staff

OTHER: dict[int, str] = {}
"""The number of the other order of each community: into which the newest is merged."""


def placed(session: Session, world: World, now: datetime, phone: str) -> Order:
    """An order at the world's first stairwell."""
    draft = OrderDraft(
        "厨房下水道堵了", service_code="drain_clearing", stairwell_id=world.stairwells[0].id, caller_phone=phone
    )
    return orders.place(session, draft, actor=staff(session, world, Role.OPERATOR), now=now)


def one(session: Session, world: World, _user_id: int) -> str:
    """An order that waits for its routing: it takes no firm's capacity from the other deeds."""
    return placed(session, world, clock.now(session), "17400000001").number


def two(session: Session, world: World, _user_id: int) -> str:
    """One order, and another of the same matter."""
    now = clock.now(session)
    OTHER[world.community.id] = placed(session, world, now, "17400000001").number
    return placed(session, world, now, "17400000002").number


def merged(session: Session, world: World, _user_id: int) -> str:
    """An order that was merged into another."""
    now = clock.now(session)
    first, other = (placed(session, world, now, f"1740000000{number}") for number in (3, 4))
    orders.merge(session, first, other, actor=staff(session, world, Role.OPERATOR), now=now)
    return first.number


def into(world: World) -> dict[str, Any]:
    """The body of a merge."""
    return {"into": OTHER[world.community.id]}


def second_matter(_world: World) -> dict[str, Any]:
    """The body of a split."""
    return {"service_code": "mediation", "description": "楼上太吵"}


def typed_matter(world: World) -> dict[str, Any]:
    """The form of a split."""
    return {"service_id": str(world.gossip.id), "description": "楼上太吵"}


def desk_form(_world: World) -> dict[str, Any]:
    """The form of the desk while another call about it is typed."""
    return {"form_key": "k" * 24, "caller_phone": "17400000005", "description": "我家也堵"}


ORDER, PAGE = "/api/orders/<number>", "/orders/<number>"
ROWS: dict[tuple[str, str], tuple[Any, ...]] = {
    ("GET", f"{ORDER}/callers"): (merged, 200),
    ("POST", f"{ORDER}/repeat-calls"): (one, 200, lambda _: {"caller_phone": "17400000005"}),
    ("POST", f"{ORDER}/merge"): (two, 200, into),
    ("POST", f"{ORDER}/unmerge"): (merged, 200, lambda _: {"reason": "看错了"}),
    ("POST", f"{ORDER}/split"): (one, 201, second_matter),
    ("POST", "/desk/repeat/<number>"): (one, 201, desk_form),
    ("GET", f"{PAGE}/near"): (two, 200),
    ("POST", f"{PAGE}/merge"): (two, 303, into),
    ("POST", f"{PAGE}/unmerge"): (merged, 303, lambda _: {"reason": "看错了"}),
    ("POST", f"{PAGE}/split"): (one, 303, typed_matter),
}
"""The routes about callers and merges: who makes the object, what the answer is, and the body."""
