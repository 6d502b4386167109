"""What can be asked of a vacancy, of who seeks work and of an introduction: maker, right answer, right body."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from tests.factories.station import introduced, make_seeker, make_vacancy
from tests.factories.world import World

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]


def vacancy(session: Session, world: World, _user_id: int) -> str:
    """A vacancy."""
    return str(make_vacancy(session, world).id)


def seeker(session: Session, world: World, _user_id: int) -> str:
    """Somebody who seeks work."""
    return str(make_seeker(session, world).id)


def introduction(session: Session, world: World, _user_id: int) -> str:
    """An introduction without an outcome."""
    return str(introduced(session, world).id)


def nothing(_world: World) -> dict[str, Any]:
    """No body."""
    return {}


ID = "<int(min=1, max=9223372036854775807):{}_id>"
SEEKER = f"/station/seekers/{ID.format('seeker')}"
STATION_DEEDS: dict[tuple[str, str], Row] = {
    ("POST", f"/station/vacancies/{ID.format('vacancy')}/end"): (vacancy, 303, nothing),
    ("POST", f"{SEEKER}/phone"): (seeker, 200, nothing),
    ("POST", f"{SEEKER}/end"): (seeker, 303, nothing),
    ("POST", f"/station/introductions/{ID.format('introduction')}/outcome"): (
        introduction,
        303,
        lambda _: {"outcome": "hired"},
    ),
}
