"""The one executor with real commits: finished in the work's own transaction, failures kept, poison alone."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.errors import Conflict
from dispatch.models.notify import Alarm
from dispatch.queue import Claimed, Job
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.queue import MOST_ATTEMPTS, Lane
from dispatch.transaction import transaction
from dispatch.workers import run, sweep
from dispatch.workers.run import HANDLERS, Handler
from tests.conftest import Database

KIND = "tests.work"
Register = Callable[[Handler], None]


@pytest.fixture
def register() -> Iterator[Register]:
    """Give the test's own kind of job a handler, taken away afterwards."""

    def add(handler: Handler) -> None:
        HANDLERS[KIND] = handler

    yield add
    HANDLERS.pop(KIND, None)


def enqueue(database: Database, *references: int, lane: Lane = Lane.DISPATCH) -> None:
    """Due jobs of the test's kind, committed."""
    with database.session() as session:
        for reference in references:
            queue.enqueue(session, KIND, lane=lane, reference=reference)
        session.commit()


def jobs(database: Database) -> list[Job]:
    """All jobs of the test's kind."""
    with database.session() as session:
        return list(session.scalars(select(Job).where(Job.kind == KIND).order_by(Job.id)))


def alarms(database: Database) -> list[Alarm]:
    """The alarms about dead jobs."""
    with database.session() as session:
        return list(session.scalars(select(Alarm).where(Alarm.kind == "job_dead")))


def make_due(database: Database) -> None:
    """Let back-offs and leases be over."""
    with database.session() as session:
        session.execute(
            text(
                "UPDATE jobs SET run_at = dispatch_now() - interval '1 minute', lease_until = NULL "
                "WHERE done_at IS NULL"
            )
        )
        session.commit()


def mark(session: Session, job: Claimed) -> None:
    """Work that leaves a trace: one alarm per run."""
    session.add(Alarm(kind=f"ran-{job.reference}-{job.attempts}", subject="tests", level="notice"))
    session.flush()


def traces(database: Database) -> list[str]:
    """What ran."""
    with database.session() as session:
        return sorted(session.scalars(select(Alarm.kind).where(Alarm.subject == "tests")))


def test_work_and_its_end_are_one_transaction(committed: Database, register: Register) -> None:
    register(Handler(work=mark))
    enqueue(committed, 1, 2)
    assert run.run_due(Lane.DISPATCH) == 2
    assert traces(committed) == ["ran-1-1", "ran-2-1"]
    assert all(job.done_at for job in jobs(committed))
    assert run.run_due(Lane.DISPATCH) == 0


def test_work_whose_lease_was_lost_leaves_no_trace(committed: Database, register: Register) -> None:
    def slow(session: Session, job: Claimed) -> None:
        mark(session, job)
        session.execute(text("UPDATE jobs SET token = 1 WHERE id = :id"), {"id": job.id})

    register(Handler(work=slow))
    enqueue(committed, 1)
    run.run_due(Lane.DISPATCH)
    assert traces(committed) == []
    (job,) = jobs(committed)
    assert (job.done_at, job.error) == (None, None)


def test_a_failure_is_rolled_back_named_by_its_class_and_tried_again(committed: Database, register: Register) -> None:
    def fails(session: Session, job: Claimed) -> None:
        mark(session, job)
        raise Conflict("secret 17400000001")

    register(Handler(work=fails))
    enqueue(committed, 1)
    run.run_due(Lane.DISPATCH)
    (job,) = jobs(committed)
    assert (job.error, job.done_at, job.dead_at, job.attempts) == ("Conflict", None, None, 1)
    assert traces(committed) == []
    assert run.run_due(Lane.DISPATCH) == 0
    register(Handler(work=mark))
    make_due(committed)
    run.run_due(Lane.DISPATCH)
    assert traces(committed) == ["ran-1-2"]


def test_one_that_always_fails_is_buried_with_one_alarm(committed: Database, register: Register) -> None:
    def fails(_session: Session, _job: Claimed) -> None:
        raise RuntimeError

    register(Handler(work=fails))
    enqueue(committed, 1)
    for _ in range(MOST_ATTEMPTS + 2):
        run.run_due(Lane.DISPATCH)
        make_due(committed)
    (job,) = jobs(committed)
    assert (job.attempts, job.error) == (MOST_ATTEMPTS, "RuntimeError")
    assert job.dead_at is not None
    (alarm,) = alarms(committed)
    assert alarm.subject == f"job:{job.id}"
    assert alarm.facts == {"kind": KIND, "attempts": MOST_ATTEMPTS}


def test_a_kind_that_nobody_knows_dies_with_an_alarm(committed: Database) -> None:
    enqueue(committed, 1)
    for _ in range(MOST_ATTEMPTS):
        run.run_due(Lane.DISPATCH)
        make_due(committed)
    assert jobs(committed)[0].error == "UnknownKind"
    assert len(alarms(committed)) == 1


def test_a_batch_is_one_transaction_and_a_bad_one_is_taken_apart(committed: Database, register: Register) -> None:
    def batch(session: Session, batch: list[Claimed]) -> None:
        for job in batch:
            mark(session, job)
        if any(job.reference == 2 for job in batch):
            raise Conflict

    def single(session: Session, job: Claimed) -> None:
        if job.reference == 2:
            raise Conflict
        session.add(Alarm(kind=f"alone-{job.reference}", subject="tests", level="notice"))

    register(Handler(work=single, batch=batch))
    enqueue(committed, 1, 3)
    run.run_due(Lane.DISPATCH)
    assert traces(committed) == ["ran-1-1", "ran-3-1"]
    enqueue(committed, 2, 4)
    run.run_due(Lane.DISPATCH)
    assert traces(committed) == ["alone-4", "ran-1-1", "ran-3-1"]
    assert [(job.reference, job.done_at is None) for job in jobs(committed)] == [
        (1, False),
        (3, False),
        (2, True),
        (4, False),
    ]


def test_poison_dies_in_a_child_and_takes_nobody_along(committed: Database, register: Register) -> None:
    parent = os.getpid()

    def poison(session: Session, job: Claimed) -> None:
        if job.reference == 13:
            assert os.getpid() != parent
            os._exit(9)
        mark(session, job)

    register(Handler(work=poison))
    enqueue(committed, 13)
    with committed.session() as session:
        queue.claim(session, Lane.DISPATCH, limit=1)
        session.commit()
    enqueue(committed, 1)
    for _ in range(MOST_ATTEMPTS + 1):
        make_due(committed)
        sweep.sweep_once()
    poisoned, other = jobs(committed)
    assert poisoned.dead_at is not None
    assert poisoned.attempts == MOST_ATTEMPTS
    assert other.done_at is not None
    assert traces(committed) == ["ran-1-1"]
    assert [alarm.subject for alarm in alarms(committed)] == [f"job:{poisoned.id}"]


def test_an_innocent_suspect_is_done_in_its_child(committed: Database, register: Register) -> None:
    register(Handler(work=mark))
    enqueue(committed, 1)
    with committed.session() as session:
        queue.claim(session, Lane.DISPATCH, limit=1)
        session.commit()
    make_due(committed)
    assert run.run_suspect(Lane.DISPATCH)
    assert traces(committed) == ["ran-1-2"]
    assert not run.run_suspect(Lane.DISPATCH)


def test_the_next_try_of_one_that_died_in_its_child_waits_for_no_lease(committed: Database, register: Register) -> None:
    register(Handler(work=lambda _session, _job: os._exit(9)))
    enqueue(committed, 1)
    with committed.session() as session:
        queue.claim(session, Lane.DISPATCH, limit=1)
        session.commit()
    make_due(committed)
    assert run.run_suspect(Lane.DISPATCH)
    (job,) = jobs(committed)
    assert (job.lease_until, job.attempts, job.error, job.done_at) == (None, 2, None, None)
    assert not run.run_suspect(Lane.DISPATCH)


def test_two_sweepers_and_a_worker_do_each_job_once(committed: Database, register: Register) -> None:
    register(Handler(work=mark))
    enqueue(committed, *range(60))
    make_due(committed)
    with ThreadPoolExecutor(3) as pool:
        hands = [pool.submit(sweep.sweep_once), pool.submit(sweep.sweep_once), pool.submit(run.run_due, Lane.DISPATCH)]
        assert sum(hand.result(60) for hand in hands) == 60
    with committed.session() as session:
        assert session.scalar(select(func.count()).where(Alarm.subject == "tests")) == 60


def test_the_jobs_of_a_killed_holder_are_free_before_their_lease_ends(committed: Database) -> None:
    with transaction(EVERYTHING) as session:
        queue.enqueue(session, "orders.archive", lane=Lane.DEADLINE, reference=0)
    dead_number, connection = run.Holder.take(committed.engine)
    with transaction(EVERYTHING) as session:
        session.execute(text("UPDATE jobs SET run_at = run_at - interval '1 minute'"))
        assert len(queue.claim(session, Lane.DEADLINE, limit=1, holder=dead_number)) == 1
    with transaction(EVERYTHING) as session:
        assert queue.claim_suspect(session, Lane.DEADLINE) is None
    connection.close()
    with transaction(EVERYTHING) as session:  # had once PostgreSQL has seen that the holder is gone
        session.execute(text(f"SELECT pg_advisory_xact_lock({queue.HOLDER_CLASS}, {dead_number})"))
    with transaction(EVERYTHING) as session:
        assert queue.claim_suspect(session, Lane.DEADLINE) is not None
