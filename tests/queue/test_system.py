"""What the house does for itself: dead jobs buried, the canary end to end, clearing away, sealing."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from config.settings import get_settings
from dispatch import clock
from dispatch.commands import verify as command
from dispatch.models.access import AuditEntry, IdempotencyKey, Organisation, UserSession
from dispatch.models.notify import Alarm
from dispatch.models.orders import Offer, Order
from dispatch.queue import Claimed, Job, PeriodRun
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.rules.queue import Lane
from dispatch.services import notify, orders, reports
from dispatch.services.access import audit
from dispatch.services.orders import OrderDraft, canary
from dispatch.workers import run, system
from tests.conftest import Database
from tests.factories.world import World, make_world, service, staff, user

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def world(session: Session) -> World:
    """A small world in the test's own transaction."""
    return make_world(session)


def placed(session: Session, world: World, **changes: object) -> Order:
    """An order of an operator."""
    values: dict[str, object] = {
        "description": "下水道堵了",
        "service_code": "drain_clearing",
        "stairwell_id": world.stairwells[0].id,
    }
    draft = OrderDraft(**(values | changes))  # type: ignore[arg-type]
    return orders.place(session, draft, actor=staff(session, world, Role.OPERATOR), now=NOW)


def dead(kind: str, reference: int | None, lane: Lane = Lane.DISPATCH) -> Claimed:
    """A job after its last attempt."""
    return Claimed(424242, kind, reference, {}, int(lane), NOW, 5, 1)


def alarm_of(session: Session, kind: str) -> Alarm:
    """The one alarm of a kind."""
    return session.scalars(select(Alarm).where(Alarm.kind == kind)).one()


def test_an_order_whose_routing_died_goes_to_the_desk(session: Session, world: World) -> None:
    order = placed(session, world)
    system.bury(session, dead("orders.route", order.id))
    session.refresh(order)
    assert (order.state, order.waits_for) == ("awaiting_human", "job_dead")
    alarm = alarm_of(session, "job_dead")
    assert (alarm.order_id, alarm.subject, alarm.level) == (order.id, "job:424242", "warning")
    assert alarm.community_id == world.community.id


def test_an_order_whose_lapse_died_goes_to_the_desk_and_its_links_are_dead(session: Session, world: World) -> None:
    order = placed(session, world)
    orders.route(session, order.id, now=NOW)
    offer = session.scalars(select(Offer).where(Offer.order_id == order.id)).one()
    system.bury(session, dead("orders.lapse", offer.id, Lane.EMERGENCY))
    session.refresh(order)
    assert (order.state, offer.outcome) == ("awaiting_human", "withdrawn")
    assert alarm_of(session, "job_dead").level == "emergency"


def test_a_dead_job_of_an_order_that_went_on_is_only_alarmed(session: Session, world: World) -> None:
    order = placed(session, world, stairwell_id=None, address_text="月亮背面")
    system.bury(session, dead("orders.place_alarm", order.id))
    session.refresh(order)
    assert order.state == "received"
    assert alarm_of(session, "job_dead").order_id == order.id


@pytest.mark.parametrize(
    ("kind", "reference"), [("notify.deliver", 5), ("orders.route", 999_999), ("orders.lapse", 9_999)]
)
def test_a_dead_job_without_an_order_is_alarmed_at_the_top_desk(
    session: Session, world: World, kind: str, reference: int
) -> None:
    system.bury(session, dead(kind, reference))
    alarm = alarm_of(session, "job_dead")
    assert (alarm.order_id, alarm.organisation_id) == (None, world.district.id)
    seen = notify.open_alarms(session, actor=staff(session, world, Role.CENTRE))
    assert [one.id for one in seen] == [alarm.id]


@pytest.fixture
def with_canary(committed: Database) -> Database:
    """A committed world whose catalogue has the canary's kind."""
    with committed.session() as session:
        world = make_world(session)
        service(
            session, world.district, "canary", urgency="urgent", callback=False, in_figures=False, offered=["programme"]
        )
        session.commit()
    return committed


def sing(database: Database, period: str) -> int:
    """Place the canary of a minute; its order's id."""
    with database.session() as session:
        order = canary.place_canary(session, period, now=clock.now(session))
        session.commit()
        assert order is not None
        return order.id


def make_due(database: Database) -> None:
    """Let all that waits be due."""
    with database.session() as session:
        session.execute(
            text("UPDATE jobs SET run_at = dispatch_now() WHERE done_at IS NULL AND kind <> 'orders.archive'")
        )
        session.commit()


def test_the_canary_goes_through_everything_and_closes(with_canary: Database) -> None:
    order_id = sing(with_canary, "2026-11-23T10:00")
    for lane in (Lane.EMERGENCY, Lane.DISPATCH):
        run.run_due(lane)
    with with_canary.session() as session:
        assert session.get_one(Order, order_id).state == "offered"
    with with_canary.session() as session:
        session.execute(text("UPDATE jobs SET run_at = dispatch_now() WHERE kind = 'system.canary_check'"))
        session.commit()
    run.run_due(Lane.DEADLINE)
    run.run_due(Lane.NOTIFY)
    with with_canary.session() as session:
        order = session.get_one(Order, order_id)
        assert (order.state, order.result, order.is_canary) == ("closed", "done", True)
        assert session.scalars(select(Alarm)).all() == []
        assert reports.verify(session) == []


def test_a_canary_that_was_not_routed_in_time_is_alarmed_and_is_no_case_for_the_desk(with_canary: Database) -> None:
    order_id = sing(with_canary, "2026-11-23T10:00")
    with with_canary.session() as session:
        assert not canary.check_canary(session, order_id, now=clock.now(session))
        session.commit()
    with with_canary.session() as session:
        alarm = session.scalars(select(Alarm).where(Alarm.kind == "canary_late")).one()
        assert alarm.facts["state"] == "awaiting_dispatch"
        assert session.get_one(Order, order_id).state == "voided"
    second = sing(with_canary, "2026-11-23T10:01")
    run.run_due(Lane.EMERGENCY)
    with with_canary.session() as session:
        assert canary.check_canary(session, second, now=clock.now(session))
        session.commit()
    with with_canary.session() as session:
        assert session.scalars(select(Alarm.cleared_at)).one() is not None


def test_a_canary_that_nobody_looked_for_in_time_is_late_too(with_canary: Database) -> None:
    order_id = sing(with_canary, "2026-11-23T10:00")
    run.run_due(Lane.EMERGENCY)
    with with_canary.session() as session:
        assert not canary.check_canary(session, order_id, now=clock.now(session) + timedelta(hours=1))
        session.commit()
    with with_canary.session() as session:
        assert session.get_one(Order, order_id).state == "voided"
        assert session.scalars(select(Alarm.facts).where(Alarm.kind == "canary_late")).one()["state"] == "offered"
        assert reports.verify(session) == []


def test_the_canary_lives_hidden_and_once(with_canary: Database) -> None:
    sing(with_canary, "2026-11-23T10:00")
    sing(with_canary, "2026-11-23T10:01")
    with with_canary.session() as session:
        nest = session.scalars(select(Organisation).where(Organisation.is_hidden)).one()
        assert nest.code == "canary"
        page = orders.list_orders(session, actor=SYSTEM, filters=orders.OrderFilters(), cursor=None, limit=10)
        assert not page.items


def test_without_its_kind_there_is_no_canary(session: Session) -> None:
    assert canary.place_canary(session, "2026-11-23T10:00", now=NOW) is None


def test_canaries_go_after_seven_days_and_nothing_else_goes(with_canary: Database) -> None:
    old = sing(with_canary, "2026-11-23T10:00")
    run.run_due(Lane.EMERGENCY)
    make_due(with_canary)
    run.run_due(Lane.DEADLINE)
    with with_canary.session() as session:
        assert session.get_one(Order, old).state == "closed"
        session.execute(
            text(
                "INSERT INTO period_runs (job, period, due_at) VALUES "
                "('system.canary', 'old', dispatch_now() - interval '9 days'), "
                "('system.canary', 'older', dispatch_now() - interval '10 days'), "
                "('system.canary', 'new', dispatch_now()), "
                "('reports.daily_figures', 'kept', dispatch_now() - interval '10 days')"
            )
        )
        session.commit()
    with with_canary.session() as session:
        later = clock.now(session) + timedelta(days=1)
        assert canary.delete_canaries(session, clock.now(session) - timedelta(days=7), 100) == 0
        assert canary.delete_canaries(session, later, 100) == 1
        session.commit()
    with with_canary.session() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 0
        assert session.scalar(select(func.count()).select_from(Job).where(Job.reference == old)) == 0
        assert set(session.scalars(select(PeriodRun.period))) == {"new", "kept"}


def test_purging_keeps_what_is_young_open_or_dead(session: Session) -> None:
    now = clock.now(session)
    session.execute(
        text(
            "INSERT INTO jobs (kind, lane, run_at, done_at, dead_at) VALUES "
            "('tests.old', 4, :old, :old, NULL), ('tests.young', 4, :old, :young, NULL), "
            "('tests.open', 4, :old, NULL, NULL), ('tests.dead', 4, :old, NULL, :old)"
        ),
        {"old": now - timedelta(days=8), "young": now - timedelta(days=6)},
    )
    person = user(session)
    for hours in (71, 73):
        created = now - timedelta(hours=hours)
        session.add(
            IdempotencyKey(
                principal="user:1", route="r", key=str(hours), fingerprint=b"", status=201, body=b"", created_at=created
            )
        )
    for days in (29, 31):
        ended = now - timedelta(days=days)
        session.add(UserSession(token_hash=bytes([days]), user_id=person.id, ended_at=ended, seen_at=now))
    session.add(PeriodRun(job="system.purge", period="2026-11-23", due_at=now))
    session.flush()
    system.purge(session, Claimed(1, "system.purge", None, {"period": "2026-11-23"}, 4, now, 1, 1))
    assert set(session.scalars(select(Job.kind))) == {"tests.young", "tests.open", "tests.dead"}
    assert session.scalars(select(IdempotencyKey.key)).all() == ["71"]
    assert session.scalars(select(UserSession.token_hash)).all() == [bytes([29])]
    run_of = session.get_one(PeriodRun, ("system.purge", "2026-11-23"), populate_existing=True)
    assert run_of.finished_at is not None


def test_the_tick_seals_the_audit_trail(committed: Database) -> None:
    with committed.session() as session:
        audit.record(session, "tests.look", "tests", 1, actor=SYSTEM)
        session.commit()
    run.tick()
    with committed.session() as session:
        assert session.scalar(select(func.count()).where(AuditEntry.seal_id.is_(None))) == 0
        assert audit.verify_chain(session) == []


def test_one_who_ticks_while_another_seals_does_not_wait(committed: Database) -> None:
    with committed.session() as sealing, committed.session() as other:
        sealing.execute(system.ONE_SEALER)
        audit.record(other, "tests.look", "tests", 1, actor=SYSTEM)
        assert system.after_tick(other, clock.now(other)) == 0


def test_every_clock_job_and_every_origin_has_a_handler() -> None:
    kinds = {one.job for one in run.schedule.SCHEDULE}
    assert kinds <= set(run.HANDLERS)
    assert {"care.order_changed", "system.order_changed"} <= set(run.HANDLERS)


def test_the_days_head_of_the_audit_chain_leaves_the_database_and_finds_seals_cut_off(committed: Database) -> None:
    home = get_settings().home
    with committed.session() as session:
        audit.record(session, "test.change", "tests", 1, actor=SYSTEM)
        session.commit()
    with committed.session() as session:
        audit.seal(session, now=NOW)
        session.commit()
        job = Claimed(1, "system.audit_head", None, {"period": "2026-11-23"}, int(Lane.PERIODIC), NOW, 1, 1)
        (home / system.AUDIT_HEADS).unlink(missing_ok=True)
        system.export_audit_head(session, job)
        session.commit()
    heads = command.read_heads(home / system.AUDIT_HEADS)
    assert [head["period"] for head in heads] == ["2026-11-23"]
    with psycopg.connect(committed.owner_url, autocommit=True) as owner, committed.session() as session:
        assert audit.compare_heads(session, heads) == []
        owner.execute("UPDATE audit_entries SET seal_id = NULL")
        owner.execute("DELETE FROM audit_seals")
        assert audit.verify_chain(session) == []
        assert len(audit.compare_heads(session, heads)) == 1
        forged = [{**heads[0], "digest": "00" * 32}]
        assert "signature" in audit.compare_heads(session, forged)[0]
