"""Reports at 10⁴ and at 10⁵ (10⁶ with --million) orders: sums over the maintained totals."""

import time
from collections.abc import Callable
from datetime import date, timedelta
from statistics import median

import psycopg
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from benchmarks.history import SUPERUSER, Size, make
from benchmarks.house import House
from benchmarks.measure import tell
from config.settings import APP_ROLE, embedded_database_url
from dispatch import clock
from dispatch.db import make_engine
from dispatch.rules.access.roles import EVERYTHING, Actor
from dispatch.rules.queue import Lane
from dispatch.rules.reports.counts import MEASURES
from dispatch.rules.reports.figures import Figure
from dispatch.services import reports
from dispatch.services.access import keys
from dispatch.services.reports import Grouping, ReportQuery
from dispatch.services.reports.counting.totals import DAILY, HEAT_KEY, HEAT_OF_LINES, KEY, SHEET, TOTALS_OF_LINES
from dispatch.transaction import begin

SMALL = Size("bench_reports_small", 10_000)
LARGE = Size("bench_reports_large", 100_000)
MILLION = Size("bench_reports_million", 1_000_000)
AIM_MILLISECONDS = 100.0

SHEETS = """
INSERT INTO order_counts (order_id, community_id, version, area_id, building_id, stairwell_id, service_id, lead_team_id,
    accountable_team_id, performer_id, first_lead_team_id, first_accountable_team_id, first_performer_id, fate,
    placed_at, placed_on, placed_hour, dispatched_on, offered_on, arrive_due_on, due_on, finished_on, closed_on,
    called_on, is_repeat, is_returned, is_rerouted, is_overridden, signing, first_round, rounds, accept_seconds,
    arrival, closing, answering, is_reached, is_final, is_contacted, is_solved, satisfaction, is_reopened)
SELECT o.id, o.community_id, o.version, o.area_id, o.building_id, o.stairwell_id, o.service_id,
    CASE WHEN n.n %% 2 = 0 THEN line.id ELSE block.id END, block.id, firm.id,
    CASE WHEN n.n %% 2 = 0 THEN line.id ELSE block.id END, block.id, firm.id,
    'kept', o.created_at, d.day, extract(hour FROM o.created_at AT TIME ZONE 'Asia/Shanghai')::smallint, d.day, d.day,
    d.day, d.day + 7, d.day + (n.n %% 3)::integer, d.day + 2, d.day + 2, n.n %% 11 = 0, n.n %% 50 = 0, n.n %% 33 = 0,
    n.n %% 40 = 0, 'by_house', CASE WHEN n.n %% 5 = 0 THEN 'declined' ELSE 'accepted' END, 1 + (n.n %% 3)::smallint,
    (n.n %% 900)::integer, CASE WHEN n.n %% 9 = 0 THEN 'late' ELSE 'in_time' END,
    CASE WHEN n.n %% 13 = 0 THEN 'late' ELSE 'in_time' END, 'in_time', n.n %% 12 <> 0, false, n.n %% 12 <> 0,
    n.n %% 7 <> 0, CASE WHEN n.n %% 6 = 0 THEN 'basically_satisfied' ELSE 'satisfied' END, n.n %% 25 = 0
FROM orders AS o
CROSS JOIN LATERAL (SELECT substr(o.number, 2)::bigint AS n) AS n
CROSS JOIN LATERAL (SELECT (o.created_at AT TIME ZONE 'Asia/Shanghai')::date AS day) AS d
JOIN (SELECT DISTINCT ON (area_id) area_id, id FROM teams WHERE kind = 'block' ORDER BY area_id, id) AS block
    ON block.area_id = o.area_id
JOIN (SELECT community_id, id, row_number() OVER (PARTITION BY community_id ORDER BY id) - 1 AS row,
    count(*) OVER (PARTITION BY community_id) AS of FROM teams WHERE kind = 'line') AS line
    ON line.community_id = o.community_id AND line.row = o.service_id %% line.of
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS row, count(*) OVER () AS of FROM performers
    WHERE kind = 'firm') AS firm ON firm.row = (o.service_id * 7 + n.n %% 5) %% firm.of
WHERE o.source = 'history'
"""
LINES = f"WITH lines AS MATERIALIZED (SELECT 1 AS sign, {SHEET} FROM order_counts), "
TOTALS = (
    f"{LINES} daily AS ({DAILY}) INSERT INTO figure_totals ({KEY}, {', '.join(MEASURES)}) {TOTALS_OF_LINES}",
    f"{LINES} nothing AS (SELECT 1) INSERT INTO heat_totals ({HEAT_KEY}, placed) {HEAT_OF_LINES}",
)
TABLES = (
    "order_counts",
    "figure_totals",
    "heat_totals",
    "residents",
    "households",
    "stairwells",
    "buildings",
    "coverages",
)
"""What a report reads; a copied database is not known to the planner as one that has lived is."""

Ask = Callable[[Session, Actor, date], object]


def week_by_team(session: Session, actor: Actor, today: date) -> object:
    """The last seven days by team."""
    return reports.report(session, ReportQuery(today - timedelta(days=6), today), actor=actor).rows


def month_by_kind(session: Session, actor: Actor, today: date) -> object:
    """The last thirty days by kind."""
    return reports.report(session, ReportQuery(today - timedelta(days=29), today, Grouping.KIND), actor=actor).rows


def year_by_firm(session: Session, actor: Actor, today: date) -> object:
    """The last 365 days by firm."""
    return reports.report(session, ReportQuery(today - timedelta(days=364), today, Grouping.FIRM), actor=actor).rows


def everything_by_area(session: Session, actor: Actor, today: date) -> object:
    """Nearly three years by area."""
    return reports.report(session, ReportQuery(today - timedelta(days=1_000), today, Grouping.AREA), actor=actor).rows


def trend_of_a_year(session: Session, actor: Actor, today: date) -> object:
    """A year month by month."""
    return reports.trend(session, ReportQuery(today - timedelta(days=364), today), actor=actor)


def heat_of_a_month(session: Session, actor: Actor, today: date) -> object:
    """A month by day, hour and building."""
    return reports.heat(session, ReportQuery(today - timedelta(days=29), today), actor=actor).areas


def open_a_figure(session: Session, actor: Actor, today: date) -> object:
    """The first fifty orders of a month that are not counted."""
    query = ReportQuery(today - timedelta(days=29), today)
    part = reports.Part.NOT_COUNTED
    return reports.open_figure(session, query, Figure.SOLVED, part=part, actor=actor).items


QUESTIONS: dict[str, Ask] = {
    "report of a week by team": week_by_team,
    "report of a month by kind": month_by_kind,
    "report of a year by firm": year_by_firm,
    "report of 1,001 days by area": everything_by_area,
    "trend of a year": trend_of_a_year,
    "heat of a month": heat_of_a_month,
    "a figure opened": open_a_figure,
}


def fill_reports(owner: psycopg.Connection) -> None:
    """Sheets for the orders of a history, as if each had lived, and the totals over them, in three statements."""
    with owner.transaction():
        owner.execute("SET LOCAL statement_timeout = 0")
        owner.execute(SHEETS, ())
        for statement in TOTALS:
            owner.execute(statement.encode())
        owner.execute("DELETE FROM order_changes")
    owner.execute(f"VACUUM ANALYZE {', '.join(TABLES)}")


def milliseconds(engine: Engine, ask: Callable[[Session], object], actor: Actor) -> float:
    """The time of one question in a transaction of its own; the transaction's begin is not in it."""
    with Session(engine, expire_on_commit=False) as session:
        begin(session, actor.scope)
        began = time.perf_counter()
        if not ask(session):
            raise RuntimeError("nothing was found")
        took = (time.perf_counter() - began) * 1000
        session.rollback()
        return took


def measure(house: House, *, rounds: int, short: bool, million: bool) -> None:
    """Make both databases, measure in turns, print."""
    large = MILLION if million else SMALL if short else LARGE
    sizes = (SMALL,) if short else (SMALL, large)
    tell(
        f"== Reports at {' and '.join(f'{size.orders:,}' for size in sizes)} orders, milliseconds (median of {rounds})"
    )
    for size in sizes:
        began = time.perf_counter()
        make(house, size, int(Lane.DISPATCH))
        with house.owner(size.database, SUPERUSER) as owner:
            fill_reports(owner)
            rows = owner.execute("SELECT count(*) FROM figure_totals").fetchone()
        took = time.perf_counter() - began
        tell(f"    {size.orders:,} orders made in {took:.0f} s, totals: {rows[0] if rows else 0:,} rows")
    engines = [make_engine(embedded_database_url(house.home, APP_ROLE, size.database)) for size in sizes]
    with Session(engines[0]) as session:
        begin(session, EVERYTHING)
        actor = keys.authenticate_key(session, house.api_key())
        today = clock.today(clock.now(session))
    if actor is None:
        raise RuntimeError("the demo's key is not known")
    for name, ask in QUESTIONS.items():
        times: list[list[float]] = [[] for _ in engines]
        for _ in range(rounds):
            for engine, kept in zip(engines, times, strict=True):
                kept.append(milliseconds(engine, lambda session, ask=ask: ask(session, actor, today), actor))
        reached = "reached" if median(times[-1]) <= AIM_MILLISECONDS else "NOT REACHED"
        tell(f"{name}: {' : '.join(f'{median(kept):.1f}' for kept in reversed(times))} ms (aim ≤ 100 ms: {reached})")
    for engine in engines:
        engine.dispose()
