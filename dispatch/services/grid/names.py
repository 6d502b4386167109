"""The names of places and the buildings that a process has read, kept until the grid of their community changes."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, ClassVar, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import select, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from dispatch.models.grid import PlaceName
from dispatch.rules.grid.address import NameIndex
from dispatch.services.grid.buildings import Buildings, KnownBuilding, read_communities

MOST_SETS = 16
MOST_COMMUNITIES = 500
"""How many sets of communities, and whose buildings, are kept per database; the longest unused go first."""

Version = tuple[int, str, int]
Token = tuple[Version, ...]
Key = TypeVar("Key")
Value = TypeVar("Value")


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
    """The names in reach, ready for address texts, and the buildings behind them by community."""

    index: NameIndex
    places: dict[int, NamedPlace]
    buildings: dict[int, Buildings]

    @property
    def is_one_community(self) -> bool:
        """Whether an address without a name can only be of one community."""
        return len(self.buildings) == 1

    def with_number(self, number: str) -> list[KnownBuilding]:
        """All buildings with this number, by id."""
        found = (building for here in self.buildings.values() for building in here.by_number.get(number, ()))
        return sorted(found, key=lambda one: one.id)


class Kept:
    """What this process keeps, per database."""

    names: ClassVar[WeakKeyDictionary[Engine, OrderedDict[Token, Names]]] = WeakKeyDictionary()
    buildings: ClassVar[WeakKeyDictionary[Engine, OrderedDict[Version, Buildings]]] = WeakKeyDictionary()
    lock: ClassVar[Lock] = Lock()


# xmin tells versions of rolled-back transactions apart. A hidden community is looked into only alone.
_COMMUNITIES = "SELECT id, xmin::text, grid_version FROM organisations WHERE kind = 'community' AND {} ORDER BY id"
REACH = text("SELECT current_setting('dispatch.communities', true)")
ALL = text(_COMMUNITIES.format("NOT is_hidden"))
SOME = text(_COMMUNITIES.format("id = ANY (:ids) AND (NOT is_hidden OR cardinality(cast(:ids AS bigint[])) = 1)"))


def names_of(session: Session, communities: frozenset[int] | None) -> Names:
    """The names and buildings of these communities (None: of all that are not hidden), read again after a change.

    One query while nothing changes, four after a change of the grid.
    """
    session.flush()
    connection = session.connection()
    rows = connection.execute(ALL) if communities is None else connection.execute(SOME, {"ids": sorted(communities)})
    token: Token = tuple(map(tuple, rows))
    engine = connection.engine
    with Kept.lock:
        kept = Kept.names.setdefault(engine, OrderedDict())
        if token in kept:
            kept.move_to_end(token)
            return kept[token]
    in_reach = reached(session, token)
    names = read(session, token, buildings_of(session, engine, token, in_reach))
    if len(in_reach) == len(token):
        with Kept.lock:
            keep(kept, {token: names}, MOST_SETS)
    return names


def reached(session: Session, token: Token) -> frozenset[Version]:
    """The communities of which row-level security shows this session all: only of these something may be kept."""
    setting = session.execute(REACH).scalar_one() or ""
    return frozenset(token if setting == "*" else (one for one in token if str(one[0]) in setting.split(",")))


def keep(kept: OrderedDict[Key, Value], read: Mapping[Key, Value], most: int) -> None:
    """Keep what was just read; the longest unused goes where there is no more room."""
    kept.update(read)
    while len(kept) > most:
        kept.popitem(last=False)


def buildings_of(session: Session, engine: Engine, token: Token, in_reach: frozenset[Version]) -> dict[int, Buildings]:
    """The buildings of these communities; only those whose grid has changed are read."""
    with Kept.lock:
        kept = Kept.buildings.setdefault(engine, OrderedDict())
        known = {version: kept[version] for version in token if version in kept}
    missing = {version[0]: version for version in token if version not in known}
    if missing:
        fresh = {missing[one]: made for one, made in read_communities(session, list(missing)).items()}
        known |= fresh
        with Kept.lock:
            keep(kept, {version: made for version, made in fresh.items() if version in in_reach}, MOST_COMMUNITIES)
    return {version[0]: known[version] for version in token}


def read(session: Session, token: Token, buildings: dict[int, Buildings]) -> Names:
    """Read the names of these communities."""
    rows: Sequence[Any] = session.execute(
        select(
            PlaceName.id,
            PlaceName.community_id,
            PlaceName.name,
            PlaceName.kind,
            PlaceName.area_id,
            PlaceName.building_id,
        ).where(PlaceName.community_id.in_([community for community, _, _ in token]))
    ).all()
    places = {row.id: NamedPlace(*row) for row in rows}
    index = NameIndex.of((place.name, place.id) for place in places.values())
    return Names(index, places, buildings)
