"""Reading knowledge: what an actor sees of it, found as it is typed, with its versions."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import ClassVar
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Select, case, func, or_, select, text, true
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, NotFound
from dispatch.models.access import Organisation
from dispatch.models.catalogue import KnowledgeItem, KnowledgeVersion
from dispatch.rules.access.roles import Actor
from dispatch.rules.catalogue.knowledge import holds_on
from dispatch.rules.catalogue.search import SearchKey, rank, search_key
from dispatch.services.access.reach import among

MOST_KEPT = 64
MOST_FOUND = 100
MOST_VERSIONS = 200
OF_THE_KIND = 1
"""Of items that fit equally well those of the chosen kind go first."""

PUBLISHED, WITHDRAWN = "published", "withdrawn"

# xmin tells versions of rolled-back transactions apart: a process never keeps what was never committed.
TOKENS = text(
    "SELECT id, xmin::text, catalogue_version, cardinality(path), id = ANY (:path) FROM organisations "
    "WHERE id = ANY (:reached) OR id = ANY (:path) OR :everything ORDER BY id"
)
PATH = text("SELECT path FROM organisations WHERE id = :id")

Token = tuple[tuple[int, str, int, int, bool], ...]
Entries = tuple["Entry", ...]


class KnowledgeOutdated(Conflict):
    """这条答复已经更新,请看过新的内容再答复"""


class KnowledgeWithdrawn(Conflict):
    """这条答复已经停用或不在有效期内,请换一条或派单"""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """An item with its text as it stands, and the name of the organisation that keeps it."""

    item: KnowledgeItem
    text: KnowledgeVersion
    owner: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An item as it is searched for."""

    id: int
    key: SearchKey
    kinds: frozenset[str]
    valid_from: date
    valid_until: date | None


class Kept:
    """What this process keeps, per database."""

    entries: ClassVar[WeakKeyDictionary[Engine, OrderedDict[Token, Entries]]] = WeakKeyDictionary()
    lock: ClassVar[Lock] = Lock()


def current() -> Select[KnowledgeItem, KnowledgeVersion, str]:
    """Items with the version that stands and the name of their organisation."""
    return (
        select(KnowledgeItem, KnowledgeVersion, Organisation.name)
        .join(
            KnowledgeVersion,
            (KnowledgeVersion.item_id == KnowledgeItem.id) & (KnowledgeVersion.version == KnowledgeItem.version),
        )
        .join(Organisation, Organisation.id == KnowledgeItem.organisation_id)
    )


def seen_by(actor: Actor) -> ColumnElement[bool]:
    """The items of the actor's own organisation, of those above it, and of all within reach."""
    if actor.scope.everything:
        return true()
    reached = among(KnowledgeItem.__table__.c.organisation_id, actor.scope.organisations)
    return or_(reached, inherited(actor))


def inherited(actor: Actor) -> ColumnElement[bool]:
    """The condition that an item is kept by the actor's organisation or by one above it."""
    path = select(func.unnest(Organisation.path)).where(Organisation.id == actor.organisation_id)
    return KnowledgeItem.organisation_id.in_(path)


def search_knowledge(
    session: Session, query: str, *, day: date, kind: str | None = None, limit: int = 8, actor: Actor
) -> list[Knowledge]:
    """What is published, holds on that day and fits what was typed or said, best first.

    An empty query gives the items of the kind, in order of age; without a kind nothing. Two queries or three,
    four after a change. Source: hotline.md §1 row 2; look.md, the operator's desk.
    """
    entries = [one for one in entries_of(session, actor) if holds_on(day, one.valid_from, one.valid_until)]
    if not query.strip():
        entries = [one for one in entries if kind in one.kinds]
    weighed = [(one.id, one.key, OF_THE_KIND if kind in one.kinds else 0) for one in entries]
    ids = rank(query, weighed, min(limit, MOST_FOUND))
    found = {one.item.id: one for one in by_ids(session, ids)}
    return [found[one] for one in ids if one in found]


def by_ids(session: Session, ids: Iterable[int]) -> list[Knowledge]:
    """The items with these ids, in one query; none for none."""
    wanted = sorted(ids)
    if not wanted:
        return []
    return [Knowledge(*row) for row in session.execute(current().where(KnowledgeItem.id.in_(wanted)))]


def token_of(session: Session, actor: Actor) -> Token:
    """What changes with every change of the knowledge that an actor sees."""
    path: list[int] = []
    if actor.organisation_id is not None:
        path = session.execute(PATH, {"id": actor.organisation_id}).scalar_one_or_none() or []
    scope = actor.scope
    parameters = {"reached": sorted(scope.organisations), "path": path, "everything": scope.everything}
    return tuple(tuple(row) for row in session.execute(TOKENS, parameters))


def entries_of(session: Session, actor: Actor) -> Entries:
    """The search keys of what an actor sees, made once per version of it."""
    token = token_of(session, actor)
    engine = session.get_bind().engine
    with Kept.lock:
        kept = Kept.entries.setdefault(engine, OrderedDict())
        known = kept.get(token)
        if known is not None:
            kept.move_to_end(token)
            return known
    entries = read_entries(session, token)
    with Kept.lock:
        kept[token] = entries
        while len(kept) > MOST_KEPT:
            kept.popitem(last=False)
    return entries


def read_entries(session: Session, token: Token) -> Entries:
    """The entries of these organisations; of one code along the actor's own path the nearest alone."""
    depth = {identity: levels for identity, _, _, levels, _ in token}
    own = {identity for identity, _, _, _, is_own in token if is_own}
    rows = session.execute(
        current()
        .where(KnowledgeItem.organisation_id.in_(sorted(depth)), KnowledgeItem.state == PUBLISHED)
        .order_by(KnowledgeItem.id)
    ).all()
    nearest: dict[str, int] = {}
    for item, _, _ in rows:
        if item.organisation_id in own:
            nearest[item.code] = max(nearest.get(item.code, 0), depth[item.organisation_id])
    return tuple(
        Entry(item.id, search_key(item.title, item.words), frozenset(item.kinds), said.valid_from, said.valid_until)
        for item, said, _ in rows
        if item.organisation_id not in own or depth[item.organisation_id] == nearest[item.code]
    )


def list_knowledge(
    session: Session, *, after: int = 0, limit: int = 50, withdrawn: bool = False, actor: Actor
) -> Sequence[Knowledge]:
    """What an actor sees by id after an id: what is published, or what was withdrawn."""
    query = (
        current()
        .where(seen_by(actor), KnowledgeItem.id > after, KnowledgeItem.state == (WITHDRAWN if withdrawn else PUBLISHED))
        .order_by(KnowledgeItem.id)
        .limit(min(limit, MOST_FOUND + 1))
    )
    return [Knowledge(*row) for row in session.execute(query)]


def find_knowledge(session: Session, code: str, *, actor: Actor) -> Knowledge:
    """The item of a code, withdrawn or not: of the own organisation or the nearest above, else in reach.

    Raises NotFound.
    """
    is_own = case((inherited(actor), 1), else_=0)
    query = (
        current()
        .where(KnowledgeItem.code == code, seen_by(actor))
        .order_by(is_own.desc(), func.cardinality(Organisation.path).desc(), KnowledgeItem.id)
        .limit(1)
    )
    return one_of(session, query)


def find_knowledge_by_id(session: Session, item_id: int, *, actor: Actor) -> Knowledge:
    """The item with this id, withdrawn or not; raises NotFound."""
    return one_of(session, current().where(KnowledgeItem.id == item_id, seen_by(actor)))


def one_of(session: Session, query: Select[KnowledgeItem, KnowledgeVersion, str]) -> Knowledge:
    """The one row of a query; raises NotFound."""
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound
    return Knowledge(*row)


def knowledge_versions(session: Session, item_id: int) -> Sequence[KnowledgeVersion]:
    """Everything that an item has said, newest first. The item was found within reach."""
    query = (
        select(KnowledgeVersion)
        .where(KnowledgeVersion.item_id == item_id)
        .order_by(KnowledgeVersion.version.desc())
        .limit(MOST_VERSIONS)
    )
    return session.scalars(query).all()


def cite_knowledge(
    session: Session,
    *,
    code: str | None = None,
    item_id: int | None = None,
    version: int | None = None,
    day: date,
    actor: Actor,
) -> Knowledge:
    """The item that closes a call, by code or id, as it was read: what is cited is what stands.

    Raises NotFound, KnowledgeOutdated when another version stands now, KnowledgeWithdrawn when it may not be
    given on that day.
    """
    if item_id is None:
        found = find_knowledge(session, code or "", actor=actor)
    else:
        found = find_knowledge_by_id(session, item_id, actor=actor)
    if found.item.state != PUBLISHED or not holds_on(day, found.text.valid_from, found.text.valid_until):
        raise KnowledgeWithdrawn
    if version is not None and version != found.item.version:
        raise KnowledgeOutdated
    return found
