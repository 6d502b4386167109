"""Jobs and periods: the database is the queue, a broker message is only a hint that carries an id."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, SmallInteger, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from dispatch import clock
from dispatch.db import Base, Id, Moment, Reference
from dispatch.rules.queue import (
    CLOCKS_MAY_DIFFER_SECONDS,
    LEASE_SECONDS,
    PLAUSIBLE_LEASE_SECONDS,
    Lane,
    PeriodDue,
    Scheduled,
    back_off_seconds,
    is_dead,
    periods_owed,
    waits_for_clocks,
)

HINTS_KEY = "dispatch.hints"


class Job(Base):
    """One thing that must happen: outbox, queue, timer, retry store and dead-letter box in one row."""

    __tablename__ = "jobs"

    id: Mapped[Id]
    dedupe: Mapped[str | None] = mapped_column(unique=True)
    kind: Mapped[str]
    reference: Mapped[Reference | None]
    arguments: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    lane: Mapped[int] = mapped_column(SmallInteger)
    run_at: Mapped[Moment]
    created_at: Mapped[Moment]
    lease_until: Mapped[datetime | None]
    token: Mapped[int | None] = mapped_column(BigInteger)
    holder: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    done_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    error: Mapped[str | None]

    __table_args__ = (
        Index(
            "ix_jobs_open",
            "lane",
            "run_at",
            "id",
            postgresql_where=text("done_at IS NULL AND dead_at IS NULL"),
        ),
        Index("ix_jobs_dead", "dead_at", postgresql_where=text("dead_at IS NOT NULL")),
        Index("ix_jobs_kind_reference", "kind", "reference"),
    )


class PeriodRun(Base):
    """One period of one clock job: exists once, therefore runs once."""

    __tablename__ = "period_runs"

    job: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    created_at: Mapped[Moment]
    finished_at: Mapped[datetime | None]
    job_id: Mapped[Reference | None]
    late_seconds: Mapped[int] = mapped_column(server_default=text("0"))

    __table_args__ = (Index("ix_period_runs_job_due_at", "job", "due_at"),)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job in our hands until its lease ends; only its token may finish it."""

    id: int
    kind: str
    reference: int | None
    arguments: dict[str, Any]
    lane: int
    run_at: datetime
    attempts: int
    token: int

    @property
    def about(self) -> int:
        """The id of what the job is about; raises ValueError for a job without one."""
        if self.reference is None:
            message = f"a job of {self.kind} needs the id of what it is about"
            raise ValueError(message)
        return self.reference


INSERT = text(
    "INSERT INTO jobs (dedupe, kind, reference, arguments, lane, run_at) "
    "VALUES (:dedupe, :kind, :reference, :arguments, :lane, coalesce(:run_at, dispatch_now())) "
    "ON CONFLICT (dedupe) DO NOTHING RETURNING id, run_at <= dispatch_now()"
).bindparams(bindparam("arguments", type_=JSONB), bindparam("run_at", type_=Job.run_at.type))


def enqueue(
    session: Session,
    kind: str,
    *,
    lane: Lane,
    reference: int | None = None,
    run_at: datetime | None = None,
    dedupe: str | None = None,
    **arguments: int | str,
) -> int | None:
    """Insert a job in the caller's transaction; the hint leaves after the commit.

    `run_at` None means at once. Returns the job's id, or None when a job with this `dedupe` exists.
    Arguments are ids and period names only, never personal data.
    """
    row = session.execute(
        INSERT,
        {
            "dedupe": dedupe,
            "kind": kind,
            "reference": reference,
            "arguments": arguments,
            "lane": int(lane),
            "run_at": run_at,
        },
    ).one_or_none()
    if row is None:
        return None
    job_id, is_due = row
    if is_due:
        hint(session, lane, job_id)
    return int(job_id)


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be inserted with others: see enqueue."""

    kind: str
    lane: Lane
    reference: int
    run_at: datetime
    dedupe: str


INSERT_ALL = text(
    "INSERT INTO jobs (kind, lane, reference, run_at, dedupe) SELECT * FROM unnest(cast(:kinds AS text[]), "
    "cast(:lanes AS smallint[]), cast(:references AS bigint[]), cast(:moments AS timestamptz[]), "
    "cast(:dedupes AS text[])) ON CONFLICT (dedupe) DO NOTHING RETURNING id, lane, run_at <= dispatch_now()"
)


def enqueue_all(session: Session, jobs: Sequence[NewJob]) -> None:
    """Insert many jobs, of whatever kinds, in one statement; one hint leaves for each lane with work due."""
    if not jobs:
        return
    made = session.execute(
        INSERT_ALL,
        {
            "kinds": [job.kind for job in jobs],
            "lanes": [int(job.lane) for job in jobs],
            "references": [job.reference for job in jobs],
            "moments": [job.run_at for job in jobs],
            "dedupes": [job.dedupe for job in jobs],
        },
    ).all()
    due = {lane: job_id for job_id, lane, is_due in reversed(made) if is_due}
    for lane in sorted(due):
        hint(session, Lane(lane), due[lane])


def hint(session: Session, lane: Lane, job_id: int) -> None:
    """Remember that a worker of this lane should wake after the commit; transaction() sends it."""
    session.info.setdefault(HINTS_KEY, []).append((lane, job_id))


# A holder is a process that keeps an advisory lock as long as it lives: a killed one loses it at once, so its
# jobs need not wait for the lease. Only the sweeper asks (:sweeping), the hot path of a hint does not.
HOLDER_CLASS = 96345
LIVING = (
    "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted "
    f"AND classid = {HOLDER_CLASS} AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
CLAIMABLE = (
    "lane = :lane AND done_at IS NULL AND dead_at IS NULL "
    "AND run_at <= dispatch_now() - make_interval(secs => :grace) "
    "AND (lease_until IS NULL OR lease_until < clock_timestamp() "
    f"OR lease_until > clock_timestamp() + interval '{PLAUSIBLE_LEASE_SECONDS} seconds' "
    f"OR (:sweeping AND holder IS NOT NULL AND holder <> ALL (ARRAY({LIVING})))) "
    "AND (NOT :by_clock OR abs(extract(epoch FROM clock_timestamp() - cast(:here AS timestamptz))) "
    f"<= {CLOCKS_MAY_DIFFER_SECONDS}) "
)
RETURNING = "RETURNING id, kind, reference, arguments, lane, run_at, attempts, token"
TAKE = (
    f"UPDATE jobs SET lease_until = clock_timestamp() + interval '{LEASE_SECONDS} seconds', "
    "token = floor(random() * 9007199254740991)::bigint, holder = :holder, attempts = attempts + 1 "
)
# ARRAY(…) is worked out once; IN (…) may be run again for each row of a plan, and then takes more than LIMIT.
CLAIM = text(
    f"{TAKE} WHERE id = ANY (ARRAY(SELECT id FROM jobs WHERE {CLAIMABLE} AND NOT (attempts > 0 AND error IS NULL) "
    f"ORDER BY run_at, id LIMIT :limit FOR UPDATE SKIP LOCKED)) {RETURNING}"
)
CLAIM_SUSPECT = text(
    f"{TAKE} WHERE id = ANY (ARRAY(SELECT id FROM jobs WHERE {CLAIMABLE} AND attempts > 0 AND error IS NULL "
    f"ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)) {RETURNING}"
)


HOLD = f"SELECT pg_advisory_lock({HOLDER_CLASS}, %s)"
"""What a holder executes on its own connection, with its number, in the driver's own spelling."""


def claim(
    session: Session,
    lane: Lane,
    *,
    limit: int,
    grace_seconds: float = 0.0,
    holder: int | None = None,
    here: datetime | None = None,
) -> list[Claimed]:
    """Take up to `limit` due jobs of the lane, oldest first; the caller commits BEFORE it works.

    Jobs that killed their process before (attempts without a recorded error) are left for claim_suspect.
    `holder` is the number under which this process keeps its advisory lock. With a grace (the sweeper) the jobs
    of dead holders are taken before their lease ends. Deadlines and periodic work are left to others where `here`,
    by default what this machine's clock shows, differs from the database's clock.
    """
    values = {
        "lane": int(lane),
        "limit": limit,
        "grace": grace_seconds,
        "holder": holder,
        "sweeping": grace_seconds > 0,
        "by_clock": waits_for_clocks(lane),
        "here": here or clock.host_now(),
    }
    rows = session.execute(CLAIM, values)
    return sorted((Claimed(*row) for row in rows), key=lambda job: (job.run_at, job.id))


def claim_suspect(
    session: Session, lane: Lane, *, holder: int | None = None, here: datetime | None = None
) -> Claimed | None:
    """Take one job whose last attempt ended without a word: it is run alone, in a forked child. `here`: see claim."""
    values = {
        "lane": int(lane),
        "grace": 0.0,
        "holder": holder,
        "sweeping": True,
        "by_clock": waits_for_clocks(lane),
        "here": here or clock.host_now(),
    }
    row = session.execute(CLAIM_SUSPECT, values).one_or_none()
    return Claimed(*row) if row else None


FINISH = text("UPDATE jobs SET done_at = dispatch_now(), lease_until = NULL WHERE id = :id AND token = :token")


def finish(session: Session, job: Claimed) -> bool:
    """Mark the job done in the transaction of its work; False means another holds it now: roll back."""
    result = session.execute(FINISH, {"id": job.id, "token": job.token})
    return bool(result.rowcount)  # type: ignore[attr-defined]


FINISH_MANY = text(
    "UPDATE jobs SET done_at = dispatch_now(), lease_until = NULL "
    "FROM unnest(cast(:ids AS bigint[]), cast(:tokens AS bigint[])) AS held (id, token) "
    "WHERE jobs.id = held.id AND jobs.token = held.token"
)


def finish_many(session: Session, jobs: Sequence[Claimed]) -> bool:
    """Mark all these jobs done in one statement; False means another holds one of them: roll back."""
    held = {"ids": [job.id for job in jobs], "tokens": [job.token for job in jobs]}
    result = session.execute(FINISH_MANY, held)
    return bool(result.rowcount == len(jobs))  # type: ignore[attr-defined]


FAIL = text(
    "UPDATE jobs SET lease_until = NULL, error = :error, "
    "run_at = dispatch_now() + make_interval(secs => :wait), "
    "dead_at = CASE WHEN :dead THEN dispatch_now() END WHERE id = :id AND token = :token AND done_at IS NULL"
)


def fail(session: Session, job: Claimed, error: str, *, most_attempts: int) -> bool:
    """Record a failed attempt (error class only, never its values) and when to try again; True when it is dead."""
    dead = is_dead(job.attempts, most_attempts)
    session.execute(
        FAIL,
        {
            "id": job.id,
            "token": job.token,
            "error": error,
            "wait": back_off_seconds(job.attempts),
            "dead": dead,
        },
    )
    return dead


DIED = text(
    "UPDATE jobs SET lease_until = NULL, run_at = dispatch_now() + make_interval(secs => :wait) "
    "WHERE id = :id AND token = :token AND done_at IS NULL"
)


def died(session: Session, job: Claimed) -> None:
    """Who held the job is known to be dead: the next try waits for its back-off, not for the lease; still a suspect."""
    session.execute(DIED, {"id": job.id, "token": job.token, "wait": back_off_seconds(job.attempts)})


RELEASE = text(
    "UPDATE jobs SET lease_until = NULL, attempts = attempts - 1 "
    "WHERE id = ANY(:ids) AND token = ANY(:tokens) AND done_at IS NULL AND error IS NULL"
)


def release(session: Session, jobs: Sequence[Claimed]) -> None:
    """Give jobs back untouched (a soft shutdown in the middle of a batch)."""
    session.execute(RELEASE, {"ids": [job.id for job in jobs], "tokens": [job.token for job in jobs]})


LAST_PERIODS = text(
    "SELECT job, (SELECT max(due_at) FROM period_runs WHERE period_runs.job = known.job) "
    "FROM unnest(cast(:jobs AS text[])) AS known (job)"
)
INSERT_PERIOD = text(
    "INSERT INTO period_runs (job, period, due_at, late_seconds) "
    "VALUES (:job, :period, :due_at, greatest(0, extract(epoch FROM dispatch_now() - :due_at))::int) "
    "ON CONFLICT (job, period) DO NOTHING RETURNING job"
)


def tick(session: Session, schedule: Sequence[Scheduled], now: datetime) -> list[tuple[str, str]]:
    """Insert every period that has become due since the last known one, with its job, in one commit.

    Two beats and two sweepers may tick at once: the period's primary key lets one of them through.
    At most `most_catch_up` periods of a job at a time. Returns the (job, period) pairs made here.
    """
    last = dict(session.execute(LAST_PERIODS, {"jobs": [each.job for each in schedule]}).all())
    made = []
    for scheduled in schedule:
        owed = periods_owed(scheduled, last.get(scheduled.job), now)
        for _, due in zip(range(scheduled.most_catch_up), owed, strict=False):
            if start_period(session, scheduled, due):
                made.append((scheduled.job, due.period))
    return made


def start_period(session: Session, scheduled: Scheduled, due: PeriodDue) -> bool:
    """Insert one period with its job; False when it exists already."""
    row = session.execute(INSERT_PERIOD, {"job": scheduled.job, "period": due.period, "due_at": due.due_at})
    if row.one_or_none() is None:
        return False
    enqueue(
        session,
        scheduled.job,
        lane=Lane.PERIODIC,
        dedupe=f"{scheduled.job}:{due.period}",
        period=due.period,
    )
    return True


FINISH_PERIOD = text(
    "UPDATE period_runs SET finished_at = dispatch_now() WHERE job = :job AND period = :period AND finished_at IS NULL"
)


def finish_period(session: Session, job: str, period: str) -> None:
    """Mark a period's work as done, in the transaction of that work."""
    session.execute(FINISH_PERIOD, {"job": job, "period": period})
