"""Daily figures by community, kind and lead team, counted from the history: placed, answered, closed, re-opened."""

from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch.rules.reports.periods import bounds_of_day, days_to_recount

COUNTED = (
    "FROM order_events AS event JOIN orders ON orders.id = event.order_id "
    "JOIN services ON services.id = orders.service_id "
    "JOIN organisations ON organisations.id = orders.community_id "
    "WHERE event.at >= :begin AND event.at < :end AND "
    "event.action IN ('receive', 'answer_directly', 'close', 'reopen') "
    "AND services.in_figures AND NOT orders.is_canary AND NOT organisations.is_hidden "
)
"""What enters the figures (rules.md §8): kinds that say so, never the canary or a hidden community."""

COUNTS = (
    "count(*) FILTER (WHERE event.action = 'receive') AS placed, "
    "count(*) FILTER (WHERE event.action = 'close') AS closed, "
    "count(*) FILTER (WHERE event.action = 'reopen') AS reopened, "
    "count(*) FILTER (WHERE event.action = 'answer_directly') AS answered "
)
DELETE = text("DELETE FROM daily_figures WHERE day = :day")
INSERT = text(
    "INSERT INTO daily_figures (community_id, day, service_id, team_id, placed, closed, reopened, answered) "
    f"SELECT orders.community_id, :day, orders.service_id, orders.lead_team_id, {COUNTS} {COUNTED} "
    "GROUP BY orders.community_id, orders.service_id, orders.lead_team_id "
    "ON CONFLICT (community_id, day, service_id, team_id) DO UPDATE SET placed = excluded.placed, "
    "closed = excluded.closed, reopened = excluded.reopened, answered = excluded.answered, made_at = dispatch_now()"
)


def daily_figures(session: Session, day: date) -> int:
    """Count one Shanghai day; returns the number of rows. Done again it replaces what was counted before.

    The team is the one that leads the order now: an order that was unplaced or re-assigned since the first
    count moves, so the old rows of the day are dropped first.
    """
    begin, end = bounds_of_day(day)
    session.execute(DELETE, {"day": day})
    result = session.execute(INSERT, {"day": day, "begin": begin, "end": end})
    return int(result.rowcount)  # type: ignore[attr-defined]


def recount(session: Session, day: date) -> int:
    """Count a day and the six before it; returns the rows of all."""
    return sum(daily_figures(session, one) for one in days_to_recount(day))
