"""How reports find their rows: by an index of the totals and of the sheets, however many orders stand behind."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from psycopg import connect
from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks import reports as benchmark
from benchmarks.history import fill
from config.settings import APP_ROLE, OWNER_ROLE
from dispatch import clock
from dispatch.db import make_engine
from dispatch.rules.access.roles import EVERYTHING, Actor, ActorKind, Right, Scope
from dispatch.rules.queue import Lane
from dispatch.rules.reports.figures import Figure
from dispatch.services import reports
from dispatch.services.reports import Grouping, ReportQuery
from dispatch.services.reports.verify.figures import wrong_totals
from dispatch.transaction import begin
from tests.conftest import Servers
from tests.factories.world import make_world
from tests.house.test_plans import nodes, plans_of, rows_read

ORDERS = 40_000
"""Four weeks of a busy district: more than a page or a day may ever touch."""
DATABASE = "report_plans"
Asker = tuple[Session, Actor]

pytestmark = pytest.mark.xdist_group("report_plans")
"""What stands up once for all tests of this file is slow to make: they run in one process."""


@pytest.fixture(scope="module")
def asker(servers: Servers) -> Iterator[Asker]:
    """A session on a database of its own with counted orders, and an actor of its one community."""
    servers.clone(DATABASE)
    engine = make_engine(servers.postgres.url(APP_ROLE, DATABASE))
    with Session(engine) as session:
        begin(session, EVERYTHING)
        world = make_world(session)
        scope = Scope(
            organisations=frozenset({world.district.id, world.community.id}),
            communities=frozenset({world.community.id}),
        )
        actor = Actor(kind=ActorKind.CENTRE, organisation_id=world.district.id, rights=frozenset(Right), scope=scope)
        session.commit()
    with connect(servers.postgres.url(OWNER_ROLE, DATABASE), autocommit=True) as owner:
        fill(owner, ORDERS, int(Lane.DISPATCH))
        benchmark.fill_reports(owner)
    with Session(engine) as session:
        yield session, actor
    engine.dispose()
    servers.drop(DATABASE)


def today(asker: Asker) -> date:
    begin(asker[0], EVERYTHING)
    found = clock.today(clock.now(asker[0]))
    asker[0].rollback()
    return found


QUESTIONS: dict[str, Callable[[Session, Actor, date], object]] = {
    "a day": lambda session, actor, day: reports.report(session, ReportQuery(day, day), actor=actor),
    "a week by kind": lambda session, actor, day: reports.report(
        session, ReportQuery(day - timedelta(days=6), day, Grouping.KIND), actor=actor
    ),
    "a trend": lambda session, actor, day: reports.trend(
        session, ReportQuery(day - timedelta(days=6), day), actor=actor
    ),
    "heat": lambda session, actor, day: reports.heat(session, ReportQuery(day, day), actor=actor),
}


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_a_report_reads_only_the_rows_of_its_days(asker: Asker, name: str) -> None:
    day = today(asker)
    plans = plans_of(asker, asker[1].scope, lambda session, actor: QUESTIONS[name](session, actor, day))
    found = [node for plan in plans for node in nodes(plan)]
    scans = [node for node in found if node.get("Relation Name") in {"figure_totals", "heat_totals", "order_counts"}]
    assert scans
    assert not [node["Relation Name"] for node in scans if node["Node Type"] == "Seq Scan"]
    assert "orders" not in {node.get("Relation Name") for node in found}
    begin(asker[0], EVERYTHING)
    most = asker[0].execute(text("SELECT count(*) FROM figure_totals")).scalar_one()
    asker[0].rollback()
    assert max(rows_read(node) for node in scans) < most / 4


WIDE: dict[str, Callable[[Session, Actor, date], object]] = {
    "a year by firm": lambda session, actor, day: reports.report(
        session, ReportQuery(day - timedelta(days=364), day, Grouping.FIRM), actor=actor
    ),
    "three years by area": lambda session, actor, day: reports.report(
        session, ReportQuery(day - timedelta(days=1_000), day, Grouping.AREA), actor=actor
    ),
    "a trend of a year": lambda session, actor, day: reports.trend(
        session, ReportQuery(day - timedelta(days=364), day), actor=actor
    ),
    "heat of a month": lambda session, actor, day: reports.heat(
        session, ReportQuery(day - timedelta(days=29), day), actor=actor
    ),
}


@pytest.mark.parametrize("name", sorted(WIDE))
def test_a_wide_report_reads_a_row_for_each_of_its_groups_and_cells(asker: Asker, name: str) -> None:
    day = today(asker)
    plans = plans_of(asker, asker[1].scope, lambda session, actor: WIDE[name](session, actor, day))
    scans = [
        node
        for plan in plans
        for node in nodes(plan)
        if node.get("Relation Name") in {"figure_totals", "heat_totals", "order_counts"}
    ]
    assert scans
    assert max(rows_read(node) for node in scans) < ORDERS / 20


def test_a_page_of_orders_reads_the_days_by_their_index(asker: Asker) -> None:
    day = today(asker)
    query = ReportQuery(day - timedelta(days=1), day)
    plans = plans_of(
        asker,
        asker[1].scope,
        lambda session, actor: reports.open_figure(session, query, Figure.PER_TEN_THOUSAND, actor=actor),
    )
    scans = [node for plan in plans for node in nodes(plan) if node.get("Relation Name") in {"order_counts", "orders"}]
    assert scans
    assert not [node["Relation Name"] for node in scans if node["Node Type"] == "Seq Scan"]
    assert max(rows_read(node) for node in scans) <= 5_000


def test_the_totals_of_many_orders_are_their_sum(asker: Asker) -> None:
    begin(asker[0], EVERYTHING)
    asker[0].execute(text("SET LOCAL statement_timeout = 0"))
    assert list(wrong_totals(asker[0])) == []
    asker[0].rollback()
