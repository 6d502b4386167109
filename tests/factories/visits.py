"""Rows for visits: a resident at home, a helper, a kind that is offered for visits."""

from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from dispatch.models.catalogue import Performer, Service
from dispatch.models.grid import Household, Resident
from tests.factories.world import NUMBERS, World, firm, service


def resident(session: Session, world: World, *, is_housed: bool = True, **changes: Any) -> Resident:
    """A resident in the first stairwell."""
    household_id = None
    if is_housed:
        home = Household(
            community_id=world.community.id, stairwell_id=world.stairwells[0].id, room=f"{next(NUMBERS)}01"
        )
        session.add(home)
        session.flush()
        household_id = home.id
    made = Resident(
        uid=uuid4(),
        community_id=world.community.id,
        household_id=household_id,
        name="陈婆婆",
        name_key="chen po po",
        **changes,
    )
    session.add(made)
    session.flush()
    return made


def visit_service(session: Session, world: World, **changes: Any) -> Service:
    """A kind for visits by a named helper, without callback."""
    values: dict[str, Any] = {
        "offered": ["programme"],
        "performer": "helper",
        "given": "named",
        "urgency": "booked",
        "callback": False,
        "in_figures": False,
    }
    return service(session, world.district, f"care_visit_{next(NUMBERS)}", **(values | changes))


def helper(session: Session, world: World, kinds: list[Service], **changes: Any) -> Performer:
    """A helper of the community, reached in the house."""
    values: dict[str, Any] = {
        "kind": "helper",
        "community_id": world.community.id,
        "channel": "app",
        "webhook_url": None,
        "name": "志愿者",
    }
    return firm(session, world.district, world.community, kinds, **(values | changes))
