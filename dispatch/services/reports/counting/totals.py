"""The maintained totals: what changed orders added before is taken back, what they add now is added.

Each change is added up by every combination first, then by each thing that rows are kept by (rules/reports/keeping.py).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dispatch.rules.reports.counts import MEASURES
from dispatch.rules.reports.keeping import HEAT_KNOWN, KNOWN, PLACES
from dispatch.services.reports.counting.definitions import BASES, Basis, amounts
from dispatch.services.reports.counting.sheet import COLUMNS, FRESH

CELL: Final = "community_id, grain, first_day"
KEY: Final = f"kept_by, {CELL}, {', '.join(PLACES)}"
HEAT_PLACES: Final = ("area_id", "building_id", "hour")
HEAT_KEY: Final = f"kept_by, {CELL}, {', '.join(HEAT_PLACES)}"
SHEET: Final = ", ".join(COLUMNS)
SUMS: Final = ", ".join(f"sum({measure}) AS {measure}" for measure in MEASURES)
CHANGED: Final = " OR ".join(f"sum({measure}) <> 0" for measure in MEASURES)
CELLS: Final = (
    "CROSS JOIN LATERAL (VALUES ('day', day), ('week', date_trunc('week', day::timestamp)::date), "
    "('month', date_trunc('month', day::timestamp)::date)) AS cell (grain, first_day)"
)


def of_basis(basis: Basis) -> str:
    """What the lines (sheets with a sign) add on their days of one basis, by day and place."""
    added = ", ".join(
        f"sum(sign * ({value})) AS {measure}" if value != "0" else f"0 AS {measure}"
        for measure, value in zip(MEASURES, amounts(basis), strict=True)
    )
    places = ", ".join(f"{own} AS {name}" for own, name in zip(basis.places, PLACES, strict=True))
    return (
        f"SELECT community_id, {basis.day} AS day, {places}, {added} FROM lines WHERE {basis.day} IS NOT NULL "
        f"GROUP BY community_id, {basis.day}, {', '.join(basis.places)}"
    )


DAILY: Final = " UNION ALL ".join(of_basis(basis) for basis in BASES)
"""What `lines` add, by day and place."""
EACH: Final = f"SELECT {CELL}, {', '.join(PLACES)}, {SUMS} FROM daily {CELLS} GROUP BY {CELL}, {', '.join(PLACES)}"
HEAT_EACH: Final = (
    f"SELECT {CELL}, {', '.join(HEAT_PLACES)}, sum(sign) AS placed FROM "
    f"(SELECT *, placed_on AS day, placed_hour AS hour FROM lines) AS placed {CELLS} "
    f"GROUP BY {CELL}, {', '.join(HEAT_PLACES)}"
)


def kept_by(known: Mapping[Any, Sequence[str]], places: Sequence[str]) -> str:
    """By what a row of grouping sets is kept: GROUPING has a bit for each place that its set leaves out."""
    cases = (
        f"WHEN {sum((place not in own) << bit for bit, place in enumerate(reversed(places)))} THEN '{kept}'"
        for kept, own in known.items()
    )
    return f"CASE GROUPING({', '.join(places)}) {' '.join(cases)} END AS kept_by"


def sets(known: Mapping[Any, Sequence[str]]) -> str:
    """The groups of a cell by everything that rows are kept by."""
    groups = ", ".join(f"({', '.join(own)})" for own in known.values())
    return f"GROUP BY {CELL}, GROUPING SETS ({groups})"


TOTALS_OF_LINES: Final = (
    f"SELECT {kept_by(KNOWN, PLACES)}, {CELL}, {', '.join(PLACES)}, {SUMS} FROM ({EACH}) AS each "
    f"{sets(KNOWN)} HAVING {CHANGED}"
)
HEAT_OF_LINES: Final = (
    f"SELECT {kept_by(HEAT_KNOWN, HEAT_PLACES)}, {CELL}, {', '.join(HEAT_PLACES)}, sum(placed) AS placed "
    f"FROM ({HEAT_EACH}) AS each {sets(HEAT_KNOWN)} HAVING sum(placed) <> 0"
)

COUNT: Final = (
    f"WITH fresh AS MATERIALIZED ({FRESH}), "
    "old AS MATERIALIZED (SELECT * FROM order_counts WHERE order_id = ANY (cast(:orders AS bigint[]))), "
    f"lines AS MATERIALIZED (SELECT -1 AS sign, {SHEET} FROM old UNION ALL SELECT 1 AS sign, {SHEET} FROM fresh), "
    f"daily AS ({DAILY}), "
    f"totals AS (INSERT INTO figure_totals ({KEY}, {', '.join(MEASURES)}) {TOTALS_OF_LINES} "
    f"ON CONFLICT ({KEY}) DO UPDATE SET "
    f"{', '.join(f'{measure} = figure_totals.{measure} + excluded.{measure}' for measure in MEASURES)}), "
    f"heat AS (INSERT INTO heat_totals ({HEAT_KEY}, placed) {HEAT_OF_LINES} "
    f"ON CONFLICT ({HEAT_KEY}) DO UPDATE SET placed = heat_totals.placed + excluded.placed), "
    "gone AS (DELETE FROM order_counts WHERE order_id IN (SELECT order_id FROM old) "
    "AND order_id NOT IN (SELECT order_id FROM fresh)), "
    # whether a later order at the same stairwell is a repeat may depend on what has changed here
    "moved AS (SELECT order_id, stairwell_id, service_id, placed_at FROM lines GROUP BY order_id, stairwell_id, "
    "service_id, placed_at, fate IN ('voided', 'merged') HAVING sum(sign) <> 0), "
    "later AS (SELECT stairwell_id, service_id, placed_at, order_id FROM order_counts "
    "WHERE order_id <> ALL (cast(:orders AS bigint[])) "
    "UNION ALL SELECT stairwell_id, service_id, placed_at, order_id FROM fresh), "
    "neighbours AS (INSERT INTO order_changes (order_id) SELECT DISTINCT later.order_id FROM moved "
    "JOIN later USING (stairwell_id, service_id) "
    "WHERE (later.placed_at, later.order_id) > (moved.placed_at, moved.order_id) "
    "AND later.placed_at <= moved.placed_at + make_interval(days => :most_days)) "
    f"INSERT INTO order_counts ({SHEET}) SELECT {SHEET} FROM fresh ON CONFLICT (order_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name != "order_id")
)
"""Counts some orders anew in one statement: sheets, totals, heat; names the later orders to look at again."""
