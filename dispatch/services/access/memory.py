"""What a process remembers for a few seconds, so that the hot path does not ask the database each time."""

from collections.abc import Hashable
from time import monotonic
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

LONGEST_SECONDS = 5.0
MOST_ENTRIES = 10_000

Value = TypeVar("Value")


class ShortMemory(Generic[Value]):
    """Values by key and database for at most 5 s of real time; a change elsewhere is seen that much later.

    Each database has its own part, so that two of one process (tests, tools) never mix. A session that has
    changed something of the kind neither reads nor writes it any more: its change may still be rolled back.
    """

    def __init__(self, name: str, seconds: float = LONGEST_SECONDS) -> None:
        """Remember values of one kind for `seconds`."""
        self._mark = f"dispatch.changed.{name}"
        self._seconds = seconds
        self._parts: WeakKeyDictionary[Engine, dict[Hashable, tuple[float, Value]]] = WeakKeyDictionary()

    def get(self, place: Session | Engine, key: Hashable) -> Value | None:
        """The remembered value, None when there is none or it is too old."""
        if isinstance(place, Session) and place.info.get(self._mark):
            return None
        until, value = self._part(place).get(key, (0.0, None))
        return value if monotonic() < until else None

    def put(self, session: Session, key: Hashable, value: Value) -> None:
        """Remember a value that was just read."""
        if session.info.get(self._mark):
            return
        part = self._part(session)
        if len(part) >= MOST_ENTRIES:
            part.clear()
        part[key] = (monotonic() + self._seconds, value)

    def forget(self, session: Session) -> None:
        """The kind was changed in this session: forget all, and trust only the database in it."""
        session.info[self._mark] = True
        self._part(session).clear()

    def _part(self, place: Session | Engine) -> dict[Hashable, tuple[float, Value]]:
        engine = place.get_bind().engine if isinstance(place, Session) else place
        return self._parts.setdefault(engine, {})
