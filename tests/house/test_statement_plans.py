"""How the statement of a quarter finds its rows: the days by their index, what reached somebody by the entry's key."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from psycopg import connect
from sqlalchemy.orm import Session

from benchmarks.history import SUPERUSER
from config.settings import APP_ROLE
from dispatch import clock
from dispatch.db import make_engine
from dispatch.models.access import Organisation
from dispatch.rules.access.roles import EVERYTHING, Actor, ActorKind, Scope
from dispatch.services.reports.disclosing.body import said_of
from dispatch.services.reports.disclosing.leaves import leaves_of
from dispatch.transaction import begin
from tests.conftest import Servers
from tests.factories.gifts import make_office
from tests.house.test_plans import nodes, plans_of, rows_read

ENTRIES = 60_000
DAYS = 600
QUARTER = 90
DATABASE = "statement_plans"
ROWS = {
    "entries": ENTRIES,
    "entry_lines": ENTRIES * 2,
    "stock_moves": ENTRIES,
    "receipts": ENTRIES // 10,
    "gift_lines": ENTRIES // 10,
}
"""How many rows each table holds: a quarter's share of them may be read, and half as much again."""
Asker = tuple[Session, Actor]

FILL = """
INSERT INTO entries (id, community_id, seq, previous, digest, kind, posted_on, posted_at, happened_on, line_count,
    purpose)
SELECT 1000 + n, %(community)s, n,
    CASE WHEN n = 1 THEN decode(repeat('00', 32), 'hex') ELSE sha256(n::text::bytea) END,
    sha256((n + 1)::text::bytea),
    CASE WHEN n %% 10 = 0 THEN 'gift' ELSE 'hand_out' END, day,
    (day + time '12:00') AT TIME ZONE 'Asia/Shanghai', day, 2,
    CASE WHEN n %% 10 = 0 THEN NULL ELSE 'lone_elder' END
FROM generate_series(1, %(entries)s) AS n,
    LATERAL (SELECT %(last)s::date - (%(entries)s - n) * %(days)s / %(entries)s AS day) AS at;
"""
LINES = """
INSERT INTO entry_lines (entry_id, account_id, community_id, amount)
SELECT entries.id, account.id, entries.community_id, 1 FROM entries
CROSS JOIN LATERAL (SELECT id FROM accounts ORDER BY id LIMIT 2) AS account WHERE entries.id > 1000
"""
ACCOUNTS = """
INSERT INTO accounts (community_id, fund_id, owner, commodity, holding_id, holding_kind)
VALUES (%(community)s, %(fund)s, 'own', 'fen', NULL, NULL), (%(community)s, %(fund)s, 'own', 'fen', %(till)s, 'till')
"""
MOVES = """
INSERT INTO stock_moves (community_id, kind, facility_id, entry_id, signed_on, movement_count, origin, origin_id)
SELECT community_id, 'hand_out', %(facility)s, id, posted_on, 1, 'market.hand_out', id FROM entries
WHERE kind = 'hand_out' AND id > 1000
"""
GIFTS = """
INSERT INTO gift_lines (community_id, gift_id, position, item, commodity, amount, entry_id)
SELECT community_id, id, 1, '捐款', 'fen', 1, id FROM entries WHERE kind = 'gift' AND id > 1000
"""
RECEIPTS = """
INSERT INTO receipts (uid, community_id, year, number, entry_id, received_from, issued_at)
SELECT gen_random_uuid(), community_id, 2026, seq, id, ''::bytea, posted_at FROM entries
WHERE kind = 'gift' AND id > 1000 ORDER BY seq
"""

pytestmark = pytest.mark.xdist_group("statement_plans")
"""What stands up once for all tests of this file is slow to make: they run in one process."""


@pytest.fixture(scope="module")
def asker(servers: Servers) -> Iterator[Asker]:
    """A session on a database of its own with a journal of many quarters, and an actor of its one community."""
    servers.clone(DATABASE)
    engine = make_engine(servers.postgres.url(APP_ROLE, DATABASE))
    with Session(engine) as session:
        begin(session, EVERYTHING)
        office = make_office(session)
        community = office.shop.world.community.id
        about = {
            "community": community,
            "fund": office.shop.general.id,
            "till": office.till.id,
            "facility": office.shop.facility.id,
            "last": clock.today(clock.now(session)),
            "entries": ENTRIES,
            "days": DAYS,
        }
        session.commit()
    with connect(servers.postgres.url(SUPERUSER, DATABASE), autocommit=True) as owner:
        # the rows are right by themselves: no key is looked up, no balance kept
        owner.execute("SET session_replication_role = replica")
        for statement in (FILL, ACCOUNTS, LINES, MOVES, GIFTS, RECEIPTS):
            owner.execute(statement, about)
        owner.execute("VACUUM ANALYZE")
    scope = Scope(communities=frozenset({community}))
    with Session(engine) as session:
        yield session, Actor(kind=ActorKind.SYSTEM, scope=scope)
    engine.dispose()
    servers.drop(DATABASE)


def statement(session: Session, community_id: int, first: date, last: date) -> None:
    """The sums and counts of a period."""
    said_of(session, session.get_one(Organisation, community_id), first, last)


def leaves(session: Session, community_id: int, first: date, last: date) -> None:
    """The leaves of a period."""
    for _ in leaves_of(session, community_id, first, last):
        pass


@pytest.mark.parametrize("ask", [statement, leaves])
def test_a_statement_reads_the_days_of_its_quarter_by_their_index(
    asker: Asker, ask: Callable[[Session, int, date, date], None]
) -> None:
    (community_id,) = asker[1].scope.communities
    begin(asker[0], EVERYTHING)
    last = clock.today(clock.now(asker[0]))
    asker[0].rollback()
    first = last - timedelta(days=QUARTER)
    plans = plans_of(asker, asker[1].scope, lambda session, _: ask(session, community_id, first, last))
    scans = [node for plan in plans for node in nodes(plan) if node.get("Relation Name") in ROWS]
    assert {"entries", "receipts" if ask is leaves else "stock_moves"} <= {node["Relation Name"] for node in scans}
    assert not [
        node["Relation Name"]
        for node in scans
        if rows_read(node) > ROWS[node["Relation Name"]] * (QUARTER + 2) / DAYS * 1.5
    ]
