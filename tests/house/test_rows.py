"""Rows written many at a time past the ORM, and connections that died while they rested."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import event, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from dispatch import queue
from dispatch.db import FRESH_SECONDS, insert_rows, insert_together, update_rows
from dispatch.models.access import IdempotencyKey
from dispatch.queue import Job, PeriodRun
from dispatch.rules.queue import Lane
from tests.conftest import Database, Servers
from tests.statements import statements

AT = datetime(2026, 11, 23, 2, 0, 0, 123456, tzinfo=UTC)


def test_rows_come_back_as_they_were_given_with_defaults_for_what_was_not_named(session: Session) -> None:
    arguments = {"text": "救命😀\"'", "deep": [1, None, {"more": True}]}
    rows = [
        {"dedupe": f"row:{number}", "kind": "x", "reference": None if number else 2**40, "lane": 2, "run_at": AT}
        | {"arguments": arguments}
        for number in range(3)
    ]
    insert_rows(session, Job, rows)
    found = session.query(Job).filter(Job.kind == "x").order_by(Job.id).all()
    assert [job.dedupe for job in found] == ["row:0", "row:1", "row:2"]
    assert [job.reference for job in found] == [2**40, None, None]
    assert {job.run_at for job in found} == {AT}
    assert all(job.arguments == arguments and job.attempts == 0 and job.done_at is None for job in found)


def test_bytes_are_written_as_they_are(session: Session) -> None:
    body = bytes(range(256))
    row = {"principal": "p", "route": "r", "key": "k", "fingerprint": b"\x00", "status": 201, "body": body}
    insert_rows(session, IdempotencyKey, [row])
    stored = session.get_one(IdempotencyKey, ("p", "r", "k"))
    assert (stored.fingerprint, stored.body) == (b"\x00", body)


def test_an_ending_says_what_happens_to_rows_that_are_there_already(session: Session) -> None:
    row = {"dedupe": "once", "kind": "x", "lane": 2, "run_at": AT}
    ending = "ON CONFLICT (dedupe) DO NOTHING RETURNING dedupe"
    assert insert_rows(session, Job, [row], ending).scalars().all() == ["once"]
    assert insert_rows(session, Job, [row, {**row, "dedupe": "new"}], ending).scalars().all() == ["new"]


def test_rows_of_several_tables_are_written_at_once_and_tables_without_rows_left_out(session: Session) -> None:
    key = {"principal": "p", "route": "r", "key": "k", "fingerprint": b"\x01\xff", "status": 201, "body": b"{}"}
    job = {"dedupe": "together", "kind": "x", "lane": 2, "run_at": AT}
    with statements(session) as sent:
        insert_together(session, {IdempotencyKey: [key], Job: [job], PeriodRun: []})
        insert_together(session, {PeriodRun: []})
    assert len([one for one in sent if "INSERT" in one]) == 1
    assert session.get_one(IdempotencyKey, ("p", "r", "k")).fingerprint == b"\x01\xff"
    assert session.query(Job).filter(Job.dedupe == "together").one().run_at == AT


def test_rows_are_updated_at_once_each_with_its_own_values(session: Session) -> None:
    rows = [{"dedupe": f"row:{number}", "kind": "x", "lane": 2, "run_at": AT} for number in range(3)]
    insert_rows(session, Job, rows)
    first, second, third = session.query(Job).filter(Job.kind == "x").order_by(Job.id).all()
    changed = [{"id": first.id, "error": "A", "reference": None}, {"id": third.id, "error": None, "reference": 7}]
    update_rows(session, Job, changed)
    session.expire_all()
    assert [(job.error, job.reference) for job in (first, second, third)] == [("A", None), (None, None), (None, 7)]


def test_finishing_many_tells_when_one_of_them_is_held_by_another(session: Session) -> None:
    for number in range(3):
        queue.enqueue(session, "x", lane=Lane.DISPATCH, dedupe=f"x:{number}")
    jobs = queue.claim(session, Lane.DISPATCH, limit=3)
    session.execute(text("UPDATE jobs SET token = token + 1 WHERE id = :id"), {"id": jobs[0].id})
    assert not queue.finish_many(session, jobs)
    assert queue.finish_many(session, jobs[1:])


def test_a_connection_that_died_while_it_rested_is_replaced_unseen(committed: Database, servers: Servers) -> None:
    engine = committed.engine
    long_ago = timedelta(seconds=FRESH_SECONDS).total_seconds() + 1

    def age(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] -= long_ago

    event.listen(engine, "checkin", age)
    with engine.connect() as connection:
        before = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    event.remove(engine, "checkin", age)
    servers.admin(f"SELECT pg_terminate_backend({before}, 5000)")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != before
