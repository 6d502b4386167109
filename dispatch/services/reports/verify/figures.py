"""The figures: every order's sheet is what its history says, and the totals are the sum of the sheets."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch.rules.reports.counts import MEASURES
from dispatch.services.reports.counting import ARRAYS, spans_of
from dispatch.services.reports.counting.sheet import COLUMNS, FRESH
from dispatch.services.reports.counting.totals import DAILY, HEAT_KEY, HEAT_OF_LINES, KEY, SHEET, TOTALS_OF_LINES

ORDERS_AT_ONCE: Final = 5_000
MOST_NAMED: Final = 20

SOME_ORDERS: Final = text("SELECT id FROM orders WHERE id > :last AND NOT is_canary ORDER BY id LIMIT :most")
WRONG_COLUMNS: Final = ", ".join(
    f"CASE WHEN stored.{name} IS DISTINCT FROM fresh.{name} THEN '{name}' END" for name in COLUMNS
)
WRONG_SHEETS: Final = text(
    f"SELECT orders.number, stored.order_id AS is_stored, fresh.order_id AS is_fresh, "
    f"concat_ws(', ', {WRONG_COLUMNS}) AS columns FROM orders "
    f"LEFT JOIN order_counts AS stored ON stored.order_id = orders.id "
    f"LEFT JOIN ({FRESH}) AS fresh ON fresh.order_id = orders.id "
    f"WHERE orders.id = ANY (cast(:orders AS bigint[])) AND concat_ws(', ', {WRONG_COLUMNS}) <> '' "
    "AND (stored.count_again_at IS NULL OR stored.count_again_at >= :now) "
    "AND NOT EXISTS (SELECT FROM order_changes WHERE order_changes.order_id = orders.id) ORDER BY orders.id"
).bindparams(*ARRAYS)
ALL_LINES: Final = f"lines AS MATERIALIZED (SELECT 1 AS sign, {SHEET} FROM order_counts), daily AS ({DAILY})"
GIVEN: Final = ", ".join(f"sum({measure}) FILTER (WHERE is_kept) AS kept_{measure}" for measure in MEASURES)
MEANT: Final = ", ".join(f"sum({measure}) FILTER (WHERE NOT is_kept) AS meant_{measure}" for measure in MEASURES)
DIFFER: Final = " OR ".join(
    f"coalesce(sum({measure}) FILTER (WHERE is_kept), 0) <> coalesce(sum({measure}) FILTER (WHERE NOT is_kept), 0)"
    for measure in MEASURES
)
WRONG_TOTALS: Final = text(
    f"WITH {ALL_LINES}, both_of AS (SELECT {KEY}, {', '.join(MEASURES)}, true AS is_kept FROM figure_totals "
    f"UNION ALL SELECT {KEY}, {', '.join(MEASURES)}, false AS is_kept FROM ({TOTALS_OF_LINES}) AS meant) "
    f"SELECT {KEY}, {GIVEN}, {MEANT} FROM both_of GROUP BY {KEY} HAVING {DIFFER} "
    "ORDER BY grain, first_day, community_id LIMIT :most"
)
WRONG_HEAT: Final = text(
    f"WITH lines AS MATERIALIZED (SELECT 1 AS sign, {SHEET} FROM order_counts), "
    f"both_of AS (SELECT {HEAT_KEY}, placed AS kept, 0 AS meant FROM heat_totals "
    f"UNION ALL SELECT {HEAT_KEY}, 0 AS kept, placed AS meant FROM ({HEAT_OF_LINES}) AS meant_now) "
    f"SELECT {HEAT_KEY}, sum(kept) AS kept, sum(meant) AS meant FROM both_of GROUP BY {HEAT_KEY} "
    "HAVING sum(kept) <> sum(meant) ORDER BY grain, first_day LIMIT :most"
)


def wrong_figures(session: Session, now: datetime) -> Iterator[str]:
    """One line per order that is counted otherwise than its history says, and per day and count that differs.

    Orders that have changed, or whose limit has passed, and wait to be counted are left out: their sheets are older
    than they are, and the totals hold what the sheets say. At most twenty lines of each kind.
    """
    yield from islice(wrong_sheets(session, now), MOST_NAMED)
    yield from islice(wrong_totals(session), MOST_NAMED)
    for row in session.execute(WRONG_HEAT, {"most": MOST_NAMED}):
        place = f"building {row.building_id}, hour {row.hour}"
        when = f"{row.grain} {row.first_day} by {row.kept_by}"
        yield f"heat of {when}, {place}: {row.kept} in the totals, {row.meant} by the orders"


def wrong_sheets(session: Session, now: datetime) -> Iterator[str]:
    """The orders whose sheet is not what their history says, some thousand orders at a time."""
    spans = spans_of(session)
    values = {"communities": list(spans), "days": list(spans.values()), "now": now}
    last = 0
    while ids := session.scalars(SOME_ORDERS, {"last": last, "most": ORDERS_AT_ONCE}).all():
        for row in session.execute(WRONG_SHEETS, {"orders": list(ids), **values}):
            if row.is_stored is None:
                yield f"order {row.number}: it is in no figure"
            elif row.is_fresh is None:
                yield f"order {row.number}: it is in the figures, where it has no place"
            else:
                yield f"order {row.number}: it is counted with another {row.columns}"
        last = ids[-1]


def wrong_totals(session: Session) -> Iterator[str]:
    """Each count of a day, week or month that is not what the orders come to, with whose it is."""
    for row in session.execute(WRONG_TOTALS, {"most": MOST_NAMED}).mappings():
        for measure in MEASURES:
            kept, meant = int(row[f"kept_{measure}"] or 0), int(row[f"meant_{measure}"] or 0)
            if kept != meant:
                whose = f"community {row['community_id']}, kind {row['service_id']}, team {row['lead_team_id']}"
                when = f"{row['grain']} {row['first_day']} by {row['kept_by']}"
                yield f"figures of {when}, {whose}: {measure} is {kept} in the totals, {meant} by the orders"
