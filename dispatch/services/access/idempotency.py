"""Stored answers of keyed requests (IETF Idempotency-Key, draft 07): the same key is one piece of work."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from psycopg.errors import LockNotAvailable
from sqlalchemy import Executable, Table, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid
from dispatch.models.access import IdempotencyKey
from dispatch.rules.access.chain import canonical
from dispatch.services.access import vault

HEADER = "Idempotency-Key"
LONGEST_KEY = 255
KEPT = timedelta(hours=72)
UNANSWERED = 0
MOST_PURGED = 5_000


# Core statements made once: the ORM's bookkeeping would cost more here than the statements themselves.
_TABLE = cast("Table", IdempotencyKey.__table__)
_THIS_KEY = (
    _TABLE.c.principal == bindparam("its_principal"),
    _TABLE.c.route == bindparam("its_route"),
    _TABLE.c.key == bindparam("its_key"),
)
_TAKE = (
    insert(_TABLE)
    .values({name: bindparam(name) for name in ("principal", "route", "key", "fingerprint", "status", "body")})
    .on_conflict_do_nothing()
    .returning(_TABLE.c.status)
)
_READ = select(_TABLE.c.fingerprint, _TABLE.c.status, _TABLE.c.body).where(*_THIS_KEY)
_KEEP = update(_TABLE).where(*_THIS_KEY).values(status=bindparam("new_status"), body=bindparam("new_body"))


class KeyReused(Invalid):
    """这个 Idempotency-Key 已用于另一个请求，请换一个新的"""

    def __init__(self) -> None:
        """Name the header as the field."""
        super().__init__(HEADER)


class StillRunning(Conflict):
    """同一个请求还在处理，请稍后用同一个 Idempotency-Key 再试"""


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer that was given to the first request of a key."""

    status: int
    body: bytes


def check_key(text: str) -> str:
    """The key of a header, with or without the quotes of the draft; raises Invalid("Idempotency-Key").

    1 to 255 visible ASCII characters; a blank is none.
    """
    key = text
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not 0 < len(key) <= LONGEST_KEY or not all("!" <= one <= "~" for one in key):
        raise Invalid(HEADER, "Idempotency-Key 需要 1 到 255 个可见的英文字符")
    return key


def fingerprint(payload: Mapping[str, object]) -> bytes:
    """HMAC of the canonical payload: tells whether two requests are the same without keeping either."""
    return vault.sign("idempotency", canonical(payload))


def replay(session: Session, principal: str, route: str, key: str, mark: bytes) -> Stored | None:
    """Take the key for this request (None: do the work, then `remember`), or give the stored answer.

    A second request with the key waits here until the first has committed or failed, so the work is done
    once. Raises KeyReused for another payload, StillRunning when the first takes longer than the lock's time.
    """
    taken = {"principal": principal, "route": route, "key": key, "fingerprint": mark, "status": UNANSWERED, "body": b""}
    try:
        is_ours = session.connection().execute(_TAKE, taken).first() is not None
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise StillRunning from error
        raise
    if is_ours:
        return None
    row = session.connection().execute(_READ, this_key(principal, route, key)).one()
    if row.fingerprint != mark:
        raise KeyReused
    return Stored(row.status, vault.open_bytes(place_of(principal, route, key), row.body))


def keeping(principal: str, route: str, key: str, stored: Stored) -> tuple[Executable, Mapping[str, object]]:
    """The statement that keeps the answer in the transaction that did the work, its last; the body is sealed."""
    sealed = vault.seal_bytes(place_of(principal, route, key), stored.body)
    kept = {"new_status": stored.status, "new_body": sealed}
    return _KEEP, this_key(principal, route, key) | kept


def remember(session: Session, principal: str, route: str, key: str, stored: Stored) -> None:
    """Keep the answer in the transaction that did the work."""
    session.connection().execute(*keeping(principal, route, key, stored))


def this_key(principal: str, route: str, key: str) -> dict[str, object]:
    """The parameters that name one key."""
    return {"its_principal": principal, "its_route": route, "its_key": key}


def purge(session: Session, *, now: datetime) -> int:
    """Remove up to 5,000 answers older than 72 h; returns how many went."""
    old = (
        select(IdempotencyKey.principal, IdempotencyKey.route, IdempotencyKey.key)
        .where(IdempotencyKey.created_at < now - KEPT)
        .order_by(IdempotencyKey.created_at)
        .limit(MOST_PURGED)
        .subquery()
    )
    gone = session.execute(
        delete(IdempotencyKey)
        .where(
            IdempotencyKey.principal == old.c.principal,
            IdempotencyKey.route == old.c.route,
            IdempotencyKey.key == old.c.key,
        )
        .returning(IdempotencyKey.key)
    )
    return len(gone.all())


def place_of(principal: str, route: str, key: str) -> str:
    """Where an answer is sealed."""
    return f"idempotency.body.{principal}/{route}/{key}"
