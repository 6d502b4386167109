"""Orders by the ten thousand: written by the owner in a few statements, their histories as short as may be."""

from dataclasses import dataclass

import psycopg

from benchmarks.house import House

OPEN = 1_000
"""Open orders of either database: years of history grow, the work of the day does not."""

SUPERUSER = "postgres"
TABLES = ("orders", "order_events", "jobs", "offers")

ORDERS = """
INSERT INTO orders (number, organisation_id, community_id, service_id, state, version, chain_head, urgency, source,
    phone_index, caller_name, description, address_text, place_outcome, area_id, building_id, stairwell_id,
    created_at, updated_at, civic_due_at, service_due_at, accountable_team_id, lead_team_id, closed_at)
SELECT 'H' || lpad(n::text, 12, '0'), desk.id, place.community_id, kind.id,
    CASE WHEN n > %(count)s - %(open)s THEN 'awaiting_dispatch' ELSE 'voided' END, 2, decode(md5('a' || n), 'hex'),
    'same_day', 'history', decode(md5('phone' || n / 5), 'hex'), '张三', '厨房下水道堵了,水漫到客厅,请尽快来人',
    place.address, 'stairwell', place.area_id, place.building_id, place.stairwell_id,
    moment.at, moment.at, moment.at + interval '10 days', moment.at + interval '1 day', NULL, NULL,
    CASE WHEN n > %(count)s - %(open)s THEN NULL ELSE moment.at END
FROM generate_series(1, %(count)s) AS n
CROSS JOIN LATERAL (SELECT dispatch_now() - make_interval(secs => (%(count)s - n) * 60) AS at) AS moment
CROSS JOIN (SELECT id FROM organisations ORDER BY kind = 'centre' DESC, id LIMIT 1) AS desk
JOIN (SELECT row_number() OVER (ORDER BY id) AS row, id FROM services WHERE is_active) AS kind
    ON kind.row = 1 + n %% (SELECT count(*) FROM services WHERE is_active)
JOIN (SELECT row_number() OVER (ORDER BY s.id) AS row, s.id AS stairwell_id, b.id AS building_id, b.area_id,
    b.community_id, b.address FROM stairwells s JOIN buildings b ON b.id = s.building_id) AS place
    ON place.row = 1 + n %% (SELECT count(*) FROM stairwells)
ORDER BY n
"""
EVENTS = (
    """
INSERT INTO order_events (order_id, version, action, from_state, to_state, at, actor_kind, digest)
SELECT id, 1, 'receive', NULL, 'received', created_at, 'system', chain_head FROM orders WHERE source = 'history'
""",
    """
INSERT INTO order_events (order_id, version, action, from_state, to_state, at, actor_kind, digest)
SELECT id, 2, CASE state WHEN 'voided' THEN 'void' ELSE 'complete_intake' END, 'received', state, created_at, 'system',
    chain_head FROM orders WHERE source = 'history'
""",
)
JOBS = """
INSERT INTO jobs (dedupe, kind, reference, lane, run_at, done_at)
SELECT 'history:' || id, 'orders.route', id, %(lane)s, created_at,
    CASE WHEN state = 'voided' THEN created_at END FROM orders WHERE source = 'history'
"""


@dataclass(frozen=True, slots=True)
class Size:
    """A database with so many orders."""

    database: str
    orders: int


def make(house: House, size: Size, lane: int) -> None:
    """Copy the demo's database and fill the copy; the copy's jobs stay undone (no worker knows of it)."""
    with house.owner("postgres", SUPERUSER) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'dispatch'")
        admin.execute(f'CREATE DATABASE "{size.database}" TEMPLATE dispatch OWNER dispatch_owner')
    with house.owner(size.database, SUPERUSER) as owner:
        # the rows are right by themselves: keys are not looked up a million times, and no change is noted
        owner.execute("SET session_replication_role = replica")
        fill(owner, size.orders, lane)


def fill(owner: psycopg.Connection, count: int, lane: int) -> None:
    """Insert the orders, histories and jobs in one transaction, then count anew what the planner knows."""
    with owner.transaction():
        owner.execute("SET LOCAL statement_timeout = 0")
        owner.execute(ORDERS, {"count": count, "open": OPEN})
        for statement in EVENTS:
            owner.execute(statement)
        owner.execute(JOBS, {"lane": lane})
    owner.execute(f"VACUUM ANALYZE {', '.join(TABLES)}")
