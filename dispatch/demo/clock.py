"""The demo's clock: business time set, made faster, and given back; only the owner role writes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from config.settings import get_settings
from dispatch.errors import Invalid, NotAllowed

SQL = Path(__file__).resolve().parents[2] / "migrations" / "sql"
SLOWEST_RATE = 0.0
FASTEST_RATE = 100_000.0

IS_INSTALLED = text(
    "SELECT prosrc LIKE '%clock_settings%' FROM pg_proc "
    "WHERE proname = 'dispatch_now' AND pronamespace = 'public'::regnamespace"
)
SET = text(
    "INSERT INTO clock_settings (only_row, real_anchor, business_anchor, rate) "
    "VALUES (true, clock_timestamp(), coalesce(cast(:instant AS timestamptz), dispatch_now()), :rate) "
    "ON CONFLICT (only_row) DO UPDATE SET real_anchor = excluded.real_anchor, "
    "business_anchor = excluded.business_anchor, rate = excluded.rate RETURNING business_anchor"
)
RESET = text("DELETE FROM clock_settings")
READ = text("SELECT dispatch_now(), coalesce((SELECT rate FROM clock_settings), 1)")


class OnlyInTheDemo(NotAllowed):
    """只有演示环境才能调整时钟"""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What the clock shows (aware, UTC) and how many business seconds pass in a real one."""

    instant: datetime
    rate: float


def set_clock(owner_url: str, business_instant: datetime | None, rate: float = 1.0) -> ClockReading:
    """Set business time to an instant (aware; None keeps what it shows) and let it run `rate` times as fast.

    Every process reads it from its next transaction on. Raises OnlyInTheDemo, Invalid for a naive instant or
    a rate out of 0 … 100,000 (0: it stands still).
    """
    refuse_outside_demo()
    if business_instant is not None and business_instant.tzinfo is None:
        raise Invalid("instant", "请写明时区,例如 2026-11-23T09:00+08:00")
    if not SLOWEST_RATE <= rate <= FASTEST_RATE:
        raise Invalid("rate", "速度请填 0 到 100000 之间")
    with connection(owner_url) as owner:
        install(owner)
        anchor = owner.execute(SET, {"instant": business_instant, "rate": rate}).scalar_one()
    return ClockReading(anchor, rate)


def reset_clock(owner_url: str) -> None:
    """Give the machine's clock back: no row, and the function as production has it."""
    refuse_outside_demo()
    with connection(owner_url) as owner:
        owner.execute(RESET)
        owner.exec_driver_sql((SQL / "before_tables.sql").read_text(encoding="utf-8"))


def read_clock(owner_url: str) -> ClockReading:
    """What the clock shows now."""
    with connection(owner_url) as owner:
        return ClockReading(*owner.execute(READ).one())


def install(owner: Connection) -> None:
    """Make dispatch_now() read the clock's row, unless it does already."""
    if not owner.execute(IS_INSTALLED).scalar_one():
        owner.exec_driver_sql((SQL / "demo_clock.sql").read_text(encoding="utf-8"))


def refuse_outside_demo() -> None:
    """Raise OnlyInTheDemo where DISPATCH_DEMO is off."""
    if not get_settings().demo:
        raise OnlyInTheDemo


@contextmanager
def connection(owner_url: str) -> Iterator[Connection]:
    """One transaction as the owner role, on a connection of its own."""
    with create_engine(owner_url, poolclass=NullPool).begin() as opened:
        yield opened
