"""The declarative base, column habits and engine that every table shares, and writing many rows at once."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from time import monotonic
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, DateTime, Identity, LargeBinary, MetaData, create_engine, event, text
from sqlalchemy.dialects.postgresql import JSONB, dialect
from sqlalchemy.engine import CursorResult, Engine
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.sql.elements import TextClause

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

STATEMENT_TIMEOUT_MILLISECONDS = 8_000
LOCK_TIMEOUT_MILLISECONDS = 3_000
IDLE_IN_TRANSACTION_MILLISECONDS = 10_000
FRESH_SECONDS = 1.0
"""A connection that worked so lately is not asked whether it lives: that costs three round trips a request."""


class Base(DeclarativeBase):
    """Every table of the house."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Reference = Annotated[int, mapped_column(BigInteger)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=text("dispatch_now()"))]


def make_engine(url: str, *, pool_size: int = 8) -> Engine:
    """An engine with the promise's time limits (promise.md: statement 8 s, lock 3 s, idle 10 s)."""
    options = (
        f"-c statement_timeout={STATEMENT_TIMEOUT_MILLISECONDS} -c lock_timeout={LOCK_TIMEOUT_MILLISECONDS} "
        f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MILLISECONDS} -c timezone=UTC"
    )
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=3,
        hide_parameters=True,  # an error message that reaches a log must not carry names and phones
        connect_args={"options": options, "connect_timeout": 3, "application_name": "dispatch"},
    )
    event.listen(engine, "do_execute", with_commit)
    event.listen(engine, "checkin", note_use)
    event.listen(engine, "checkout", lambda connection, record, _: check_life(engine, connection, record))
    return engine


LAST = "dispatch_last"
"""The option of a statement after which nothing follows in its transaction but the COMMIT."""


def with_commit(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
    """Send the LAST statement of a transaction together with its COMMIT: one round trip instead of two."""
    if context is None or not context.execution_options.get(LAST, False):
        return False
    with cursor.connection.pipeline():
        cursor.execute(statement, parameters)
        cursor.connection.execute("COMMIT")
    return True


def note_use(_connection: Any, record: Any) -> None:
    """Remember when a connection came back."""
    record.info["used_at"] = monotonic()


def check_life(engine: Engine, connection: Any, record: Any) -> None:
    """Ask a connection that has rested whether it lives; a dead one takes the whole pool's with it, unseen."""
    used_at = record.info.get("used_at")
    if used_at is None or monotonic() - used_at < FRESH_SECONDS:
        return
    if not engine.dialect._do_ping_w_event(connection):  # noqa: SLF001 - what pool_pre_ping itself asks
        raise InvalidatePoolError


def constraint_of(error: DBAPIError) -> str | None:
    """The name of the constraint, or of the rule of a trigger, by which the database refused something."""
    return getattr(getattr(error.orig, "diag", None), "constraint_name", None)


def insert_rows(
    session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]], ending: str = ""
) -> CursorResult[Any]:
    """Insert rows with the same columns in one statement with one parameter, past the ORM; `ending` is more SQL.

    Values are texts, numbers, flags, moments, bytes or, in JSON columns, what JSON knows. Columns that the
    rows do not name get their defaults.
    """
    statement = insert_statement(model, tuple(rows[0]), ending)
    return session.connection().execute(statement, {"rows": as_json(rows)})


def insert_together(session: Session, tables: Mapping[type[Base], Sequence[Mapping[str, Any]]]) -> None:
    """Insert rows of several tables in one statement; see insert_rows. Keys between them are checked at its end."""
    filled = {model: rows for model, rows in tables.items() if rows}
    if filled:
        statement = together_statement(tuple((model, tuple(rows[0])) for model, rows in filled.items()))
        values = {f"rows_{place}": as_json(rows) for place, rows in enumerate(filled.values())}
        session.connection().execute(statement, values)


def update_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Update rows, each found by its `id`, with the same columns in one statement with one parameter, past the ORM."""
    session.connection().execute(update_statement(model, tuple(rows[0])), {"rows": as_json(rows)})


@cache
def insert_statement(model: type[Base], names: tuple[str, ...], ending: str) -> TextClause:
    """The statement of insert_rows for some columns of a table."""
    return text(f"{insert_sql(model, names, 'rows')} {ending}")


@cache
def together_statement(tables: tuple[tuple[type[Base], tuple[str, ...]], ...]) -> TextClause:
    """The statement of insert_together for some columns of some tables."""
    *before, last = [insert_sql(model, names, f"rows_{place}") for place, (model, names) in enumerate(tables)]
    parts = ", ".join(f"part_{place} AS ({sql})" for place, sql in enumerate(before))
    return text(f"WITH {parts} {last}" if parts else last)


@cache
def update_statement(model: type[Base], names: tuple[str, ...]) -> TextClause:
    """The statement of update_rows for some columns of a table."""
    values, types = recordset(model, names)
    settings = ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True) if name != "id")
    sql = (
        f"UPDATE {model.__tablename__} SET {settings} "  # noqa: S608 - our own names
        f"FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS row ({types}) WHERE {model.__tablename__}.id = row.id"
    )
    return text(sql)


def insert_sql(model: type[Base], names: tuple[str, ...], parameter: str) -> str:
    """Inserting some columns of a table from a parameter with rows."""
    values, types = recordset(model, names)
    return (
        f"INSERT INTO {model.__tablename__} ({', '.join(names)}) SELECT {', '.join(values)} "  # noqa: S608 - our own names
        f"FROM jsonb_to_recordset(cast(:{parameter} AS jsonb)) AS row ({types})"
    )


def recordset(model: type[Base], names: tuple[str, ...]) -> tuple[list[str], str]:
    """How columns are read from a row of JSON, and the names and types of its fields."""
    columns = [model.__table__.columns[name] for name in names]
    is_bytes = [isinstance(column.type, LargeBinary) for column in columns]
    values = [f"decode(row.{name}, 'hex')" if one else f"row.{name}" for name, one in zip(names, is_bytes, strict=True)]
    spoken = ["text" if one else c.type.compile(dialect()) for c, one in zip(columns, is_bytes, strict=True)]
    return values, ", ".join(f"{name} {kind}" for name, kind in zip(names, spoken, strict=True))


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as the parameter of such a statement."""
    return json.dumps(rows, default=plain_value)


def plain_value(value: Any) -> str:
    """What JSON does not know: bytes as hexadecimal digits, a moment as ISO 8601."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


__all__ = [
    "Base",
    "Id",
    "Moment",
    "Reference",
    "Session",
    "insert_rows",
    "insert_together",
    "make_engine",
    "update_rows",
]
