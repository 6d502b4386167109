"""The declarative base, column habits and engine that every table shares, and writing many rows at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from time import monotonic
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, DateTime, Identity, LargeBinary, MetaData, bindparam, create_engine, event, text
from sqlalchemy.dialects.postgresql import JSONB, dialect
from sqlalchemy.engine import CursorResult, Engine
from sqlalchemy.exc import InvalidatePoolError
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
    event.listen(engine, "checkin", note_use)
    event.listen(engine, "checkout", lambda connection, record, _: check_life(engine, connection, record))
    return engine


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


def insert_rows(
    session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]], ending: str = ""
) -> CursorResult[Any]:
    """Insert rows with the same columns in one statement with one parameter, past the ORM; `ending` is more SQL.

    Values are texts, numbers, flags, moments, bytes or, in JSON columns, what JSON knows. Columns that the
    rows do not name get their defaults.
    """
    statement = insert_statement(model, tuple(rows[0]), ending)
    plain = [{name: plain_value(value) for name, value in row.items()} for row in rows]
    return session.connection().execute(statement, {"rows": plain})


@cache
def insert_statement(model: type[Base], names: tuple[str, ...], ending: str) -> TextClause:
    """The statement of insert_rows for some columns of a table."""
    columns = [model.__table__.columns[name] for name in names]
    is_bytes = [isinstance(column.type, LargeBinary) for column in columns]
    values = [f"decode({name}, 'hex')" if one else name for name, one in zip(names, is_bytes, strict=True)]
    spoken = ["text" if one else c.type.compile(dialect()) for c, one in zip(columns, is_bytes, strict=True)]
    types = ", ".join(f"{name} {kind}" for name, kind in zip(names, spoken, strict=True))
    sql = (
        f"INSERT INTO {model.__tablename__} ({', '.join(names)}) SELECT {', '.join(values)} "  # noqa: S608 - our own names
        f"FROM jsonb_to_recordset(:rows) AS row ({types}) {ending}"
    )
    return text(sql).bindparams(bindparam("rows", type_=JSONB))


def plain_value(value: Any) -> Any:
    """A value as JSON can carry it to insert_rows: bytes as hexadecimal digits, a moment as ISO 8601."""
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, datetime) else value


__all__ = ["Base", "Id", "Moment", "Reference", "Session", "insert_rows", "make_engine"]
