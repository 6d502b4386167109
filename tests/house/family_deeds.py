"""What can be asked of a family's link: maker, right answer, right body."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.care.family import Relation
from dispatch.services.care import family
from dispatch.services.care.family import NewLink
from tests.factories.visits import resident
from tests.factories.world import World

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]


def link(session: Session, world: World, _user_id: int) -> str:
    """A link that opens."""
    now = clock.now(session)
    today = clock.today(now)
    days = (today, today + timedelta(days=9))
    wanted = NewLink(resident(session, world).id, Relation.CHILD, True, True, *days)  # noqa: FBT003 - two ticks
    return str(family.make_link(session, wanted, actor=SYSTEM, now=now)[0].id)


FAMILY_DEEDS: dict[tuple[str, str], Row] = {
    ("POST", "/family/<int(min=1, max=9223372036854775807):link_id>/revocation"): (link, 303, lambda _: {}),
}
