"""Finding a kind of order as it is typed: Chinese, pinyin, initials, synonyms."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import ClassVar
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from dispatch.models.catalogue import Service
from dispatch.rules.catalogue.search import SearchKey, rank, search_key
from dispatch.services.catalogue.kinds import seen_from, services_by_id
from dispatch.services.catalogue.versions import Token, tokens

MOST_CATALOGUES = 64
MOST_FOUND = 100

Entries = tuple["Entry", ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A kind as it is searched for."""

    id: int
    key: SearchKey
    popularity: int
    offered: frozenset[str]


class Kept:
    """What this process keeps, per database."""

    entries: ClassVar[WeakKeyDictionary[Engine, OrderedDict[tuple[int, Token], Entries]]] = WeakKeyDictionary()
    lock: ClassVar[Lock] = Lock()


def search_services(
    session: Session, organisation_id: int, query: str, *, offered: str | None = None, limit: int = 8
) -> list[Service]:
    """The kinds in use that fit what was typed, best first; an empty query gives the most popular.

    `offered` keeps those of one list (hotline, station, counselling, programme). Two queries, three after a
    change of the catalogue. Source: look.md, “gdst → 管道疏通”.
    """
    entries = [
        (entry.id, entry.key, entry.popularity)
        for entry in entries_of(session, organisation_id)
        if offered is None or offered in entry.offered
    ]
    ids = rank(query, entries, min(limit, MOST_FOUND))
    found = services_by_id(session, ids)
    return [found[one] for one in ids if one in found]


def entries_of(session: Session, organisation_id: int) -> Entries:
    """The search keys of an organisation's catalogue, made once per version of it."""
    token = tokens(session, (organisation_id,)).get(organisation_id, ())
    engine = session.get_bind().engine
    with Kept.lock:
        kept = Kept.entries.setdefault(engine, OrderedDict())
        known = kept.get((organisation_id, token))
        if known is not None:
            kept.move_to_end((organisation_id, token))
            return known
    entries = tuple(
        Entry(one.id, search_key(one.name, one.synonyms), one.popularity, frozenset(one.offered))
        for one in session.scalars(select(Service).where(Service.is_active, seen_from(organisation_id)))
    )
    with Kept.lock:
        kept[organisation_id, token] = entries
        while len(kept) > MOST_CATALOGUES:
            kept.popitem(last=False)
    return entries
