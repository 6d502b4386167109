"""Quarterly statements: counted from the history by the quarter of Shanghai, made once, corrected openly."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.notify import Alarm
from dispatch.models.orders import Order
from dispatch.models.reports import ServiceStatement
from dispatch.rules.access.chain import canonical
from dispatch.rules.access.roles import Role
from dispatch.services import orders, reports
from dispatch.services.orders import OrderDraft, canary
from tests.factories.world import World, make_world, service, staff

LAST_MINUTE = datetime(2026, 9, 30, 15, 59, tzinfo=UTC)
NEXT_MORNING = datetime(2026, 9, 30, 16, 0, tzinfo=UTC)


@pytest.fixture
def world(session: Session) -> World:
    """A small world in the test's own transaction, there since the year began."""
    made = make_world(session)
    made.community.created_at = datetime(2026, 1, 1, tzinfo=UTC)
    session.flush()
    return made


def placed(session: Session, world: World, now: datetime, **changes: object) -> Order:
    """An order placed and routed at an instant."""
    values: dict[str, object] = {
        "description": "下水道堵了",
        "service_code": "drain_clearing",
        "stairwell_id": world.stairwells[0].id,
    }
    draft = OrderDraft(**(values | changes))  # type: ignore[arg-type]
    order = orders.place(session, draft, actor=staff(session, world, Role.OPERATOR), now=now)
    orders.route(session, order.id, now=now)
    return order


def test_kinds_outside_the_figures_and_the_canary_stand_in_no_statement(session: Session, world: World) -> None:
    hidden = service(session, world.district, "hidden", in_figures=False)
    placed(session, world, LAST_MINUTE, service_code=None, service_id=hidden.id)
    service(session, world.district, "canary", urgency="urgent", callback=False, in_figures=True)
    assert canary.place_canary(session, "2026-09-30T23:59", now=LAST_MINUTE) is not None
    reports.make_statements(session, "2026-Q3", now=NEXT_MORNING)
    bodies = session.scalars(select(ServiceStatement.body)).all()
    assert [body["total"] for body in bodies] == [{"placed": 0, "closed": 0, "reopened": 0, "answered": 0}]


def statements(session: Session, world: World) -> list[ServiceStatement]:
    """The versions of the world's statements."""
    query = select(ServiceStatement).where(ServiceStatement.community_id == world.community.id)
    return list(session.scalars(query.order_by(ServiceStatement.version)))


def test_a_statement_counts_its_quarter_by_kind_and_team(session: Session, world: World) -> None:
    placed(session, world, LAST_MINUTE)
    placed(session, world, LAST_MINUTE, service_code="mediation")
    placed(session, world, NEXT_MORNING)
    assert reports.make_statements(session, "2026-Q3", now=NEXT_MORNING) == 1
    (made,) = statements(session, world)
    assert (made.quarter, made.version, made.note, made.published_at) == ("2026-Q3", 1, "", NEXT_MORNING)
    assert made.digest == sha256(canonical(made.body)).digest()
    assert made.body["total"] == {"placed": 2, "closed": 0, "reopened": 0, "answered": 0}
    assert [kind["code"] for kind in made.body["by_kind"]] == ["drain_clearing", "mediation"]
    assert {one["name"] for one in made.body["by_team"]} == {world.line.name, world.block.name}
    assert (made.body["from"], made.body["until"]) == ("2026-07-01", "2026-09-30")


def test_a_statement_is_made_once_and_corrected_by_a_new_version(session: Session, world: World) -> None:
    placed(session, world, LAST_MINUTE)
    reports.make_statements(session, "2026-Q3", now=NEXT_MORNING)
    assert reports.make_statements(session, "2026-Q3", now=NEXT_MORNING) == 0
    placed(session, world, LAST_MINUTE)
    assert reports.make_statements(session, "2026-Q3", now=NEXT_MORNING) == 1
    first, second = statements(session, world)
    assert (first.body["total"]["placed"], second.body["total"]["placed"]) == (1, 2)
    assert (second.version, second.note) == (2, "按最新记录更正")
    page = reports.list_statements(session, cursor=None, limit=10)
    assert [(one.version, name) for one, name in page.items] == [(2, world.community.name)]


def test_a_missing_statement_is_alarmed_after_its_days_and_cleared_when_it_is_out(
    session: Session, world: World
) -> None:
    assert reports.alarm_late_statements(session, now=NEXT_MORNING + timedelta(days=15)) == []
    late = NEXT_MORNING + timedelta(days=15, seconds=1)
    assert reports.alarm_late_statements(session, now=late) == [world.community.id]
    reports.alarm_late_statements(session, now=late)
    reports.make_statements(session, "2026-Q3", now=late)
    alarms = session.scalars(select(Alarm).where(Alarm.kind == "statement_late").order_by(Alarm.id)).all()
    assert [(alarm.level, alarm.cleared_at is None) for alarm in alarms] == [("warning", False), ("notice", True)]
    assert reports.alarm_late_statements(session, now=late) == []


def test_a_young_community_owes_no_statement(session: Session, world: World) -> None:
    world.community.created_at = NEXT_MORNING
    session.flush()
    assert reports.make_statements(session, "2026-Q3", now=NEXT_MORNING) == 0
    assert reports.alarm_late_statements(session, now=NEXT_MORNING + timedelta(days=30)) == []


def test_statements_are_paged(session: Session, world: World) -> None:
    for quarter in ("2026-Q1", "2026-Q2", "2026-Q3"):
        reports.make_statements(session, quarter, now=NEXT_MORNING)
    assert len(statements(session, world)) == 3
    first = reports.list_statements(session, cursor=None, limit=2)
    second = reports.list_statements(session, cursor=first.next, limit=2)
    quarters = [one.quarter for one, _ in (*first.items, *second.items)]
    assert quarters == ["2026-Q3", "2026-Q2", "2026-Q1"]
    assert second.next is None
    for cursor, limit in (("???", 2), (None, 0), (None, 101)):
        with pytest.raises(Invalid):
            reports.list_statements(session, cursor=cursor, limit=limit)
