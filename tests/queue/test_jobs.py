"""The jobs table under real commits: claims, fences, leases, back-off, death, suspects, many hands at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.queue import Claimed, Job
from dispatch.rules.queue import MOST_ATTEMPTS, Lane
from tests.conftest import Database

KIND = "tests.work"


def enqueue(session: Session, count: int = 1, lane: Lane = Lane.DISPATCH) -> list[int]:
    """Some jobs that are due now."""
    ids = [queue.enqueue(session, KIND, lane=lane, reference=number) for number in range(count)]
    return [one for one in ids if one is not None]


def claim_one(session: Session, lane: Lane = Lane.DISPATCH) -> Claimed:
    """The one job that is due."""
    (job,) = queue.claim(session, lane, limit=10)
    return job


def job_of(session: Session, job_id: int) -> Job:
    """The job as it stands."""
    return session.get_one(Job, job_id, populate_existing=True)


def make_due(session: Session, job_id: int) -> None:
    """Let the back-off of a job be over."""
    session.execute(
        text("UPDATE jobs SET run_at = dispatch_now() - interval '1 second' WHERE id = :id"), {"id": job_id}
    )


def end_lease(session: Session, job_id: int) -> None:
    """Let the lease of a job be over, as after a process died in silence."""
    session.execute(
        text("UPDATE jobs SET lease_until = clock_timestamp() - interval '1 second' WHERE id = :id"), {"id": job_id}
    )


def test_a_job_exists_once_per_dedupe_and_is_hinted_at(session: Session) -> None:
    first = queue.enqueue(session, KIND, lane=Lane.NOTIFY, dedupe="tests:once", order=7)
    assert queue.enqueue(session, KIND, lane=Lane.NOTIFY, dedupe="tests:once", order=7) is None
    assert session.info[queue.HINTS_KEY] == [(Lane.NOTIFY, first)]
    assert job_of(session, first or 0).arguments == {"order": 7}


def test_what_is_not_due_is_neither_hinted_at_nor_claimed(session: Session) -> None:
    later = clock.now(session) + timedelta(minutes=5)
    queue.enqueue(session, KIND, lane=Lane.DEADLINE, run_at=later)
    assert queue.HINTS_KEY not in session.info
    assert queue.claim(session, Lane.DEADLINE, limit=10) == []


def test_jobs_are_claimed_oldest_first_and_by_their_lane(session: Session) -> None:
    ids = enqueue(session, 3)
    enqueue(session, 1, Lane.PERIODIC)
    claimed = queue.claim(session, Lane.DISPATCH, limit=2)
    assert [job.id for job in claimed] == ids[:2]
    assert {job.attempts for job in claimed} == {1}
    assert [job.id for job in queue.claim(session, Lane.DISPATCH, limit=10)] == ids[2:]


def test_the_grace_leaves_fresh_jobs_to_the_workers(session: Session) -> None:
    enqueue(session)
    assert queue.claim(session, Lane.DISPATCH, limit=1, grace_seconds=60) == []


def test_only_the_token_of_the_newest_claim_finishes_a_job(session: Session) -> None:
    (job_id,) = enqueue(session)
    stale = claim_one(session)
    end_lease(session, job_id)
    suspect = queue.claim_suspect(session, Lane.DISPATCH)
    assert suspect is not None
    assert suspect.attempts == 2
    assert not queue.finish(session, stale)
    assert job_of(session, job_id).done_at is None
    assert queue.finish(session, suspect)
    assert job_of(session, job_id).done_at is not None


def test_a_lease_holds_until_it_ends_and_an_implausible_one_does_not_hold(session: Session) -> None:
    (job_id,) = enqueue(session)
    queue.fail(session, claim_one(session), "Fault", most_attempts=MOST_ATTEMPTS)
    make_due(session, job_id)
    claim_one(session)
    assert queue.claim(session, Lane.DISPATCH, limit=1) == []
    session.execute(
        text("UPDATE jobs SET lease_until = clock_timestamp() + interval '1 hour' WHERE id = :id"), {"id": job_id}
    )
    assert claim_one(session).id == job_id


def test_a_job_that_is_given_back_counts_no_attempt(session: Session) -> None:
    (job_id,) = enqueue(session)
    queue.release(session, [claim_one(session)])
    assert job_of(session, job_id).attempts == 0
    assert claim_one(session).attempts == 1


@pytest.mark.parametrize("away", [timedelta(days=-1), timedelta(seconds=-70), timedelta(seconds=70), timedelta(days=1)])
def test_deadlines_and_periodic_work_wait_where_the_machine_has_another_time(session: Session, away: timedelta) -> None:
    for lane in Lane:
        enqueue(session, 1, lane)
    here = clock.host_now() + away
    found = {lane: len(queue.claim(session, lane, limit=10, here=here)) for lane in Lane}
    assert [lane for lane, number in found.items() if number == 0] == [Lane.DEADLINE, Lane.PERIODIC]
    assert len(queue.claim(session, Lane.DEADLINE, limit=10)) == 1
    session.execute(text("UPDATE jobs SET lease_until = NULL"))
    assert queue.claim_suspect(session, Lane.DISPATCH, here=here) is not None
    assert queue.claim_suspect(session, Lane.DEADLINE, here=here) is None
    assert queue.claim_suspect(session, Lane.DEADLINE) is not None


def test_a_failed_job_waits_longer_each_time_and_dies_in_the_end(session: Session) -> None:
    (job_id,) = enqueue(session)
    waits = []
    for attempt in range(1, MOST_ATTEMPTS + 1):
        job = claim_one(session)
        assert job.attempts == attempt
        dead = queue.fail(session, job, "Fault", most_attempts=MOST_ATTEMPTS)
        assert dead is (attempt == MOST_ATTEMPTS)
        row = job_of(session, job_id)
        waits.append((row.run_at - clock.now(session)).total_seconds())
        make_due(session, job_id)
    assert [round(wait) for wait in waits] == [2, 4, 8, 16, 32]
    assert job_of(session, job_id).dead_at is not None
    assert queue.claim(session, Lane.DISPATCH, limit=1) == []


def test_a_job_that_ended_in_silence_is_left_for_a_child_of_its_own(session: Session) -> None:
    (silent, fresh) = enqueue(session, 2)
    queue.claim(session, Lane.DISPATCH, limit=1)
    end_lease(session, silent)
    assert [job.id for job in queue.claim(session, Lane.DISPATCH, limit=10)] == [fresh]
    suspect = queue.claim_suspect(session, Lane.DISPATCH)
    assert suspect is not None
    assert suspect.id == silent
    assert queue.claim_suspect(session, Lane.DISPATCH) is None


@pytest.fixture
def hundred(committed: Database) -> Database:
    """A database with a hundred due jobs."""
    with committed.session() as session:
        enqueue(session, 100)
        session.commit()
    return committed


def test_many_hands_claim_every_job_once_and_wait_for_nobody(hundred: Database) -> None:
    hands = 6
    together = Barrier(hands)

    def work() -> list[int]:
        mine: list[int] = []
        together.wait(10)
        with hundred.session() as session:
            while jobs := queue.claim(session, Lane.DISPATCH, limit=7):
                session.commit()
                mine += [job.id for job in jobs]
                for job in jobs:
                    assert queue.finish(session, job)
                session.commit()
        return mine

    with ThreadPoolExecutor(hands) as pool:
        taken = [future.result(30) for future in [pool.submit(work) for _ in range(hands)]]
    everything = [job_id for mine in taken for job_id in mine]
    assert len(everything) == len(set(everything)) == 100
    with hundred.session() as session:
        assert session.execute(text("SELECT count(*) FROM jobs WHERE done_at IS NULL")).scalar_one() == 0


def test_a_claim_passes_over_what_another_transaction_holds(committed: Database) -> None:
    with committed.session() as session:
        enqueue(session, 2)
        session.commit()
    with committed.session() as one, committed.session() as other:
        first = queue.claim(one, Lane.DISPATCH, limit=1)
        second = queue.claim(other, Lane.DISPATCH, limit=2)
        assert len(first) == len(second) == 1
        assert first[0].id != second[0].id
        one.rollback()
        assert [job.id for job in queue.claim(other, Lane.DISPATCH, limit=2)] == [first[0].id]
