"""The one clock: the SQL function dispatch_now(), read here and nowhere else; and real time, for devices."""

from datetime import UTC, date, datetime

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from dispatch.db import Base
from dispatch.rules.shanghai import SHANGHAI

NOW_KEY = "dispatch.now"
REAL_KEY = "dispatch.real"


class ClockSetting(Base):
    """Demo and tests only: business time = business_anchor + (real time - real_anchor) * rate.

    One row at most, written by the owner role; start-up refuses it outside the demo.
    """

    __tablename__ = "clock_settings"

    only_row: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    real_anchor: Mapped[datetime]
    business_anchor: Mapped[datetime]
    rate: Mapped[float]

    __table_args__ = (
        CheckConstraint("only_row", name="only_row"),
        CheckConstraint("rate BETWEEN 0 AND 100000", name="rate"),
    )


def now(session: Session) -> datetime:
    """The business instant (aware, UTC) of this transaction; demo and tests may shift and speed it."""
    known = session.info.get(NOW_KEY)
    if isinstance(known, datetime):
        return known
    instant: datetime = session.execute(text("SELECT dispatch_now()")).scalar_one()
    return instant


def real(session: Session) -> datetime:
    """Real time by the database's clock (aware, UTC), which nobody shifts: for what a device has made by its own.

    It is the same on every machine of the house, also on one whose own clock is wrong.
    """
    known = session.info.get(REAL_KEY)
    if isinstance(known, datetime):
        return known
    instant: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return instant


def host_now() -> datetime:
    """What this machine's own clock shows; only to be compared with the database's."""
    return datetime.now(UTC)


def today(instant: datetime) -> date:
    """The day in Asia/Shanghai to which an instant belongs."""
    return instant.astimezone(SHANGHAI).date()
