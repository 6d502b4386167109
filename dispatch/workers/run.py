"""The one executor: claims due jobs of a lane, runs each in its own transaction, finishes with the token."""

import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from threading import Lock
from typing import Any, ClassVar

import structlog
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from config import schedule
from dispatch import boot, clock, queue
from dispatch.errors import DispatchError
from dispatch.queue import Claimed
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.queue import LEASE_SECONDS, MOST_ATTEMPTS, MOST_NOTICES, Lane, most_per_claim
from dispatch.transaction import Doors, is_passing, transaction
from dispatch.workers import care, catalogue, counselling, funds, market, notify, orders, reports, system

log = structlog.get_logger()

CHILD_SECONDS = LEASE_SECONDS - 30


@dataclass(frozen=True, slots=True)
class Handler:
    """How one kind of job is done.

    `work` gets (session, job) inside the job's transaction. A kind that talks to the outside has
    `outside` instead: it gets the job with no transaction open, makes its own short ones, and is
    finished afterwards. `batch` gets (session, jobs) and does many in one transaction.
    """

    work: Callable[[Session, Claimed], None] | None = None
    outside: Callable[[Claimed], None] | None = None
    batch: Callable[[Session, list[Claimed]], None] | None = None
    most_attempts: int = MOST_ATTEMPTS


HANDLERS: dict[str, Handler] = {
    **{kind: Handler(work=work) for kind, work in orders.WORK.items()},
    **{kind: Handler(work=orders.WORK[kind], batch=batch) for kind, batch in orders.BATCHES.items()},
    **{kind: Handler(work=work) for kind, work in catalogue.WORK.items()},
    **{kind: Handler(work=work) for kind, work in care.WORK.items()},
    **{kind: Handler(work=work) for kind, work in counselling.WORK.items()},
    **{kind: Handler(work=work) for kind, work in funds.WORK.items()},
    **{kind: Handler(work=work) for kind, work in market.WORK.items()},
    **{kind: Handler(work=work) for kind, work in reports.WORK.items()},
    **{kind: Handler(work=work) for kind, work in notify.WORK.items()},
    **{kind: Handler(outside=work) for kind, work in notify.OUTSIDE.items()},
    **{kind: Handler(work=work) for kind, work in system.WORK.items()},
}
"""The ONE table kind → what does it."""


class LostLease(DispatchError):
    """任务已被别的进程接手"""


class UnknownKind(DispatchError):
    """没有处理这类任务的程序"""


class Holder:
    """This process as a holder of jobs: a number under an advisory lock on a connection of its own.

    The lock ends with the process, however it ends, and frees its jobs for the sweeper before their lease does.
    """

    taking = Lock()
    place: ClassVar[tuple[int, int] | None] = None
    number: ClassVar[int | None] = None
    connection: ClassVar[Any] = None
    inherited: ClassVar[list[Any]] = []

    @classmethod
    def current(cls) -> int | None:
        """The number of this process; taken at its first claim, also after a fork or on another database."""
        engine = Doors.engine
        if engine is None:
            return None
        here = (os.getpid(), id(engine))
        with cls.taking:
            if cls.place != here:
                cls.forget()
                cls.number, cls.connection = cls.take(engine)
                cls.place = here
            return cls.number

    @staticmethod
    def take(engine: Engine) -> tuple[int, Any]:
        """A fresh number, locked on a driver's connection that is outside the pool."""
        number = secrets.randbelow(2**31)
        borrowed = engine.raw_connection()
        connection: Any = borrowed.driver_connection
        borrowed.detach()
        connection.autocommit = True
        connection.execute(queue.HOLD, (number,))
        return number, connection

    @classmethod
    def forget(cls) -> None:
        """After trouble with the database: take a new number at the next claim.

        A connection inherited over a fork is kept, not closed: closing it here would end the parent's lock.
        """
        if cls.connection is not None and cls.place is not None and cls.place[0] == os.getpid():
            cls.connection.close()
        elif cls.connection is not None:
            cls.inherited.append(cls.connection)
        cls.place = cls.number = cls.connection = None


def run_due(lane: Lane, limit: int | None = None, *, grace_seconds: float = 0.0) -> int:
    """Claim due jobs of the lane, `limit` or as many as the lane takes at once, and run them; returns how many."""
    most = limit or most_per_claim(lane)
    with transaction(EVERYTHING) as session:
        jobs = queue.claim(session, lane, limit=most, grace_seconds=grace_seconds, holder=Holder.current())
    singles = run_batches(jobs)
    outside = [job for job in singles if job.kind in notify.OUTSIDE]
    for job in singles:
        if job.kind not in notify.OUTSIDE:
            run_one(job)
    Outside.way(outside)
    return len(jobs)


def one_by_one(jobs: list[Claimed]) -> None:
    """Run jobs one after the other (one job, the simulation)."""
    for job in jobs:
        run_one(job)


def in_threads(jobs: list[Claimed]) -> None:
    """Run jobs that talk to the outside side by side: eight silent receivers cost the time of one."""
    if len(jobs) < 2:  # noqa: PLR2004 - one job needs no thread
        one_by_one(jobs)
        return
    with ThreadPoolExecutor(min(len(jobs), MOST_NOTICES), thread_name_prefix="outside") as pool:
        for done in [pool.submit(run_one, job) for job in jobs]:
            done.result()


class Outside:
    """How jobs that talk to the outside are run."""

    way: ClassVar[Callable[[list[Claimed]], None]] = staticmethod(in_threads)


def run_batches(jobs: list[Claimed]) -> list[Claimed]:
    """Run together what its kind allows to; gives back the jobs that are still to be run one by one."""
    singles: list[Claimed] = []
    groups: dict[str, list[Claimed]] = {}
    for job in jobs:
        handler = HANDLERS.get(job.kind)
        if handler and handler.batch and job.attempts == 1:
            groups.setdefault(job.kind, []).append(job)
        else:
            singles.append(job)
    for kind, group in groups.items():
        if len(group) == 1 or not run_batch(HANDLERS[kind], group):
            singles.extend(group)
    return singles


def run_batch(handler: Handler, jobs: list[Claimed]) -> bool:
    """Run a batch in one transaction; any failure rolls it back whole and each job is run by itself."""
    assert handler.batch is not None  # noqa: S101 - narrowed by the caller
    try:
        with transaction(EVERYTHING) as session:
            handler.batch(session, jobs)
            finish_all(session, jobs)
    except Exception as error:  # noqa: BLE001 - the door of the queue: each job is tried by itself and recorded
        log.warning("batch_split", kind=jobs[0].kind, jobs=len(jobs), error=type(error).__name__)
        return False
    return True


def finish_all(session: Session, jobs: list[Claimed]) -> None:
    """Finish every job of a batch, or raise LostLease."""
    if not queue.finish_many(session, jobs):
        raise LostLease


def run_one(job: Claimed) -> None:
    """Run one claimed job; a failure is recorded with its back-off, the last one makes it dead."""
    structlog.contextvars.bind_contextvars(job_id=job.id, job_kind=job.kind)
    try:
        execute(job)
    except LostLease:
        log.info("job_taken_over")
    except Exception as error:  # noqa: BLE001 - the door of the queue: whatever a job raises is recorded
        record_failure(job, error)
    finally:
        structlog.contextvars.unbind_contextvars("job_id", "job_kind")


def execute(job: Claimed) -> None:
    """Do the job's work and finish it with its token; raises what the work raises."""
    handler = HANDLERS.get(job.kind)
    if handler is None:
        raise UnknownKind
    if handler.outside is not None:
        handler.outside(job)
    with transaction(EVERYTHING) as session:
        if handler.work is not None:
            handler.work(session, job)
        if not queue.finish(session, job):
            raise LostLease


def record_failure(job: Claimed, error: BaseException) -> None:
    """Keep the error's class and the next try; a dead job puts its order on the desk and raises an alarm."""
    handler = HANDLERS.get(job.kind)
    most = handler.most_attempts if handler else MOST_ATTEMPTS
    passing = isinstance(error, DBAPIError) and is_passing(error)
    log.warning("job_failed", error=type(error).__name__, attempts=job.attempts, passing=passing, exc_info=error)
    with transaction(EVERYTHING) as session:
        if queue.fail(session, job, type(error).__name__, most_attempts=most):
            system.bury(session, job)


def run_suspect(lane: Lane, survives: Callable[[Claimed], bool] | None = None) -> bool:
    """Run one job that killed its process before, where it cannot take this one along; False when there is none.

    `survives` runs the job and says whether its process lived: in a forked child, or as the simulation has it.
    """
    with transaction(EVERYTHING) as session:
        job = queue.claim_suspect(session, lane, holder=Holder.current())
    if job is None:
        return False
    if job.attempts > MOST_ATTEMPTS:
        record_failure(job, UnknownKind())
    elif not (survives or survives_in_child)(job):
        log.warning("suspect_died", job_id=job.id, job_kind=job.kind)
        if job.attempts >= MOST_ATTEMPTS:
            record_failure(job, UnknownKind("任务多次使进程退出"))
        else:
            with transaction(EVERYTHING) as session:
                queue.died(session, job)
    return True


def survives_in_child(job: Claimed) -> bool:
    """Run a job in a forked child of bounded time; whether the child ended by itself."""
    child = get_context("fork").Process(target=run_in_child, args=(job,), daemon=True)
    child.start()
    child.join(CHILD_SECONDS)
    if child.is_alive():
        child.kill()
        child.join()
    return child.exitcode == 0


def run_in_child(job: Claimed) -> None:
    """The forked child: its own connections, one job, and out without the parent's exit handlers."""
    boot.reopen()
    run_one(job)
    os._exit(0)


def tick() -> int:
    """Insert every period that is owed, then do what goes with a tick; returns how many periods were made here."""
    with transaction(EVERYTHING) as session:
        if not system.clocks_agree(session):
            return 0
        made = len(queue.tick(session, schedule.SCHEDULE, clock.now(session)))
    with transaction(EVERYTHING) as session:
        system.after_tick(session, clock.now(session))
    return made
