"""Sealing anew: every sealed value moves under the key that seals today, so that an older one may be thrown away.

Each step is a short transaction over some rows in the order of their primary key, compares the old bytes when it
writes, and looks only at what is not yet under today's key: it may be killed, repeated, and run beside everything.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import LargeBinary, Select, Update, bindparam, case, column, func, select, table, text, tuple_, update
from sqlalchemy.orm import Session

from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.access.sealing import NONCE_BYTES, CannotOpen, header, name_of_key, open_sealed, seal
from dispatch.services.access import audit, vault
from dispatch.services.access.sealed import SealedColumn

Position = tuple[Any, ...]
OLD, NEW = "old_bytes", "new_bytes"


@dataclass(frozen=True, slots=True)
class Step:
    """What one transaction did: rows looked at, values sealed anew, rows that no key opens, where it stopped.

    `position` None: the table is at its end.
    """

    looked_at: int
    sealed_anew: int
    closed: tuple[Position, ...]
    position: Position | None


def count_keys(session: Session, one: SealedColumn) -> dict[str, int]:
    """How many values of a column are sealed under which key and cipher; "?" for what is no sealed value."""
    said = text(
        f"SELECT CASE WHEN octet_length({one.column}) > 2 THEN substring({one.column} FROM 1 FOR "  # noqa: S608 - our own names
        f"2 + get_byte(substring({one.column} FROM 2 FOR 1), 0)) END AS header, count(*) AS number "
        f"FROM {one.table} WHERE {one.column} IS NOT NULL GROUP BY 1"
    )
    counts: dict[str, int] = {}
    for row in session.execute(said):
        name = name_of_key(row.header or b"") or "?"
        counts[name] = counts.get(name, 0) + int(row.number)
    return counts


def reseal_some(session: Session, one: SealedColumn, after: Position | None) -> Step:
    """Seal the next rows of a column anew, those behind `after` in the order of the primary key.

    A value that somebody changes meanwhile is left as it is: it was sealed by a process of its own.
    """
    rows = session.execute(rows_after(one, after)).mappings().all()
    stale = [row for row in rows if row[OLD] is not None]
    opened = [(row, sealed_anew(one, row)) for row in stale]
    moved = [
        {f"its_{name}": row[name] for name in one.key} | {OLD: row[OLD], NEW: anew} for row, anew in opened if anew
    ]
    written = session.connection().execute(write(one), moved).rowcount if moved else 0
    if written:
        fields = {"column": one.column, "values": str(written), "key": vault.key_ring().current()[0]}
        audit.record(session, "access.reseal", one.table, None, actor=SYSTEM, fields=fields)
    closed = tuple(position(one, row) for row, anew in opened if anew is None)
    return Step(len(rows), written, closed, end_of(one, rows))


def sealed_anew(one: SealedColumn, row: Mapping[Any, Any]) -> bytes | None:
    """A value under today's key, in its own place; None when no key of the ring opens it there."""
    ring, place = vault.key_ring(), one.place(row)
    try:
        content = open_sealed(ring, place, row[OLD])
    except CannotOpen:
        return None
    return seal(ring, place, content, secrets.token_bytes(NONCE_BYTES))


def rows_after(one: SealedColumn, after: Position | None) -> Select[Any]:
    """The next rows with what names them; their value only where today's key did not seal it."""
    names = list(dict.fromkeys((*one.key, *one.named_by)))
    value = column(one.column, LargeBinary)
    rows = table(one.table, value, *(column(name) for name in names))
    today = header(vault.key_ring())
    stale = case((func.substring(value, 1, len(today)) != today, value)).label(OLD)
    key = [rows.c[name] for name in one.key]
    found = select(*(rows.c[name] for name in names), stale).order_by(*key).limit(one.rows_at_once)
    return found if after is None else found.where(tuple_(*key) > tuple_(*after))


def write(one: SealedColumn) -> Update:
    """Put a value in the place of the one that was read, and of no other."""
    value = column(one.column, LargeBinary)
    rows = table(one.table, value, *(column(name) for name in one.key))
    mine = [rows.c[name] == bindparam(f"its_{name}") for name in one.key]
    return update(rows).where(*mine, value == bindparam(OLD, type_=LargeBinary)).values({one.column: bindparam(NEW)})


def position(one: SealedColumn, row: Mapping[Any, Any]) -> Position:
    """A row's primary key."""
    return tuple(row[name] for name in one.key)


def end_of(one: SealedColumn, rows: Sequence[Mapping[Any, Any]]) -> Position | None:
    """Where to go on after these rows, None when they were the last."""
    return position(one, rows[-1]) if len(rows) == one.rows_at_once else None
