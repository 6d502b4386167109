"""The one clock: the SQL function dispatch_now(), read here and nowhere else."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW_KEY = "dispatch.now"


def now(session: Session) -> datetime:
    """The business instant (aware, UTC) of this transaction; demo and tests may shift and speed it."""
    known = session.info.get(NOW_KEY)
    if isinstance(known, datetime):
        return known
    instant: datetime = session.execute(text("SELECT dispatch_now()")).scalar_one()
    return instant


def today(instant: datetime) -> date:
    """The day in Asia/Shanghai to which an instant belongs."""
    return instant.astimezone(SHANGHAI).date()
