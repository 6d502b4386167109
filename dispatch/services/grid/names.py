"""The names of places that a process has read, kept per set of communities until their grid changes."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from sqlalchemy import select, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from dispatch.models.grid import PlaceName
from dispatch.rules.grid.address import NameIndex

MOST_SETS = 16
"""Sets of communities whose names are kept per database; the longest unused goes first."""

Token = tuple[tuple[int, str, int], ...]


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A row of place_names: an estate, a road or a nickname with what it stands for."""

    id: int
    community_id: int
    name: str
    kind: str
    area_id: int | None
    building_id: int | None


@dataclass(frozen=True, slots=True)
class Names:
    """The names in reach, ready for address texts; `is_one_community` when there is only one to be in."""

    index: NameIndex
    places: dict[int, NamedPlace]
    communities: tuple[int, ...]

    @property
    def is_one_community(self) -> bool:
        """Whether an address without a name can only be of one community."""
        return len(self.communities) == 1


class Kept:
    """What this process keeps, per database."""

    names: ClassVar[WeakKeyDictionary[Engine, OrderedDict[Token, Names]]] = WeakKeyDictionary()
    lock: ClassVar[Lock] = Lock()


# xmin tells versions of rolled-back transactions apart. A hidden community is looked into only alone.
COMMUNITIES = text(
    "SELECT id, xmin::text, grid_version FROM organisations WHERE kind = 'community' "
    "AND (cast(:ids AS bigint[]) IS NULL OR id = ANY (:ids)) "
    "AND (NOT is_hidden OR cardinality(cast(:ids AS bigint[])) = 1) ORDER BY id"
)


def names_of(session: Session, communities: frozenset[int] | None) -> Names:
    """The names of these communities (None: of all that are not hidden), read again when a grid has changed.

    One query while nothing changes, two after a change.
    """
    ids = None if communities is None else sorted(communities)
    token: Token = tuple(session.execute(COMMUNITIES, {"ids": ids}).all())
    engine = session.connection().engine
    with Kept.lock:
        kept = Kept.names.setdefault(engine, OrderedDict())
        if token in kept:
            kept.move_to_end(token)
            return kept[token]
    names = read(session, [community for community, _, _ in token])
    with Kept.lock:
        kept[token] = names
        while len(kept) > MOST_SETS:
            kept.popitem(last=False)
    return names


def read(session: Session, communities: Sequence[int]) -> Names:
    """Read the names of these communities."""
    rows: Sequence[Any] = session.execute(
        select(
            PlaceName.id,
            PlaceName.community_id,
            PlaceName.name,
            PlaceName.kind,
            PlaceName.area_id,
            PlaceName.building_id,
        ).where(PlaceName.community_id.in_(communities))
    ).all()
    places = {row.id: NamedPlace(*row) for row in rows}
    index = NameIndex.of((place.name, place.id) for place in places.values())
    return Names(index, places, tuple(communities))
