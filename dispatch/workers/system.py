"""What the house does for itself: the canary, clearing away, sealing the audit trail, burying dead jobs."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from config.settings import get_settings
from dispatch import clock, queue
from dispatch.queue import Claimed
from dispatch.rules.queue import CLOCKS_MAY_DIFFER_SECONDS, Lane
from dispatch.services import funds, notify, reports
from dispatch.services.access import audit, idempotency
from dispatch.services.orders import burial, canary

AUDIT_HEADS = "audit-heads.jsonl"
PURGE_BATCH = 5_000
CANARIES_AT_ONCE = 200
CANARY_DAYS = 7
DATABASE_CLOCK = text("SELECT clock_timestamp()")
ONE_SEALER = text("SELECT pg_try_advisory_xact_lock(hashtext('audit.seal'))")

PURGED: tuple[tuple[str, timedelta], ...] = (
    (
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE done_at < :before LIMIT :most)",
        timedelta(days=7),
    ),
    (
        (
            "DELETE FROM user_sessions WHERE id IN (SELECT id FROM user_sessions "
            "WHERE coalesce(ended_at, seen_at) < :before LIMIT :most)"
        ),
        timedelta(days=30),
    ),
)
"""What is cleared away, and how long it is kept."""

log = structlog.get_logger()


def clocks_agree(session: Session) -> bool:
    """Whether this host's clock and the database's differ by no more than 60 s; else periodic work waits."""
    there: datetime = session.execute(DATABASE_CLOCK).scalar_one()
    return agree(clock.host_now(), there)


def agree(here: datetime, there: datetime) -> bool:
    """Whether two clocks, read at about the same time, differ by no more than 60 s; says so when not."""
    seconds = abs((here - there).total_seconds())
    if seconds > CLOCKS_MAY_DIFFER_SECONDS:
        log.warning("clocks_differ", seconds=int(seconds))
        return False
    return True


def bury(session: Session, job: Claimed) -> None:
    """A job is dead: an alarm, and where it was about an order the order goes to the desk."""
    now = clock.now(session)
    order_id = burial.order_of_job(session, job.kind, job.reference)
    order = None if order_id is None else burial.give_to_desk(session, order_id, job_kind=job.kind, now=now)
    notify.raise_alarm(
        session,
        kind="job_dead",
        subject=f"job:{job.id}",
        level="emergency" if job.lane == Lane.EMERGENCY else "warning",
        organisation_id=order.organisation_id if order else burial.desk_of_the_house(session),
        community_id=order.community_id if order else None,
        order_id=order_id,
        facts={"kind": job.kind, "attempts": job.attempts},
    )


def after_tick(session: Session, now: datetime) -> int:
    """What is done every few seconds beside the tick: changed orders are to be counted, the audit trail is sealed.

    Sealed by one of those who tick; returns how many entries.
    """
    reports.ask_for_count(session, now=now)
    if not session.execute(ONE_SEALER).scalar_one():
        return 0
    return audit.seal(session, now=now)


def period_of(job: Claimed) -> str:
    """The period that a clock job is for."""
    return str(job.arguments["period"])


def place_canary(session: Session, job: Claimed) -> None:
    """The canary order of this minute."""
    canary.place_canary(session, period_of(job), now=clock.now(session))
    queue.finish_period(session, job.kind, period_of(job))


def check_canary(session: Session, job: Claimed) -> None:
    """Look for the canary order that was placed a while ago."""
    canary.check_canary(session, job.about, now=clock.now(session))


def canary_changed(session: Session, job: Claimed) -> None:
    """The canary has nothing to do when its order changes: its check looks by itself."""
    log.debug("canary_changed", order_id=job.reference, session=id(session))


def purge(session: Session, job: Claimed) -> None:
    """Clear away what nobody needs any more, a bounded batch at a time; comes back while there is more."""
    now = clock.now(session)
    full = idempotency.purge(session, now=now) >= PURGE_BATCH
    for statement, kept in PURGED:
        result = session.execute(text(statement), {"before": now - kept, "most": PURGE_BATCH})
        full = full or result.rowcount >= PURGE_BATCH
    before = now - timedelta(days=CANARY_DAYS)
    full = canary.delete_canaries(session, before, CANARIES_AT_ONCE) >= CANARIES_AT_ONCE or full
    if full:
        again = int(job.arguments.get("again", 0)) + 1
        period = period_of(job)
        dedupe = f"{job.kind}:{period}:{again}"
        queue.enqueue(session, job.kind, lane=Lane.PERIODIC, dedupe=dedupe, period=period, again=again)
        return
    queue.finish_period(session, job.kind, period_of(job))


def export_audit_head(session: Session, job: Claimed) -> None:
    """Write the day's signed head of the audit chain to a file of this machine and to the log, out of the database.

    A repeat writes the line again, which harms nothing. `dispatch verify --heads FILE` holds the chain against it.
    """
    head = audit.signed_head(session)
    if head is not None:
        line = {"period": period_of(job), **head, "journals": funds.signed_heads(session)}
        with (get_settings().home / AUDIT_HEADS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        log.info("audit_head", **line)
    queue.finish_period(session, job.kind, period_of(job))


def seal_audit(session: Session, job: Claimed) -> None:
    """Seal the audit trail now (asked for by hand; the tick does it every few seconds)."""
    log.info("audit_sealed", entries=audit.seal(session, now=clock.now(session)), job=job.id)


WORK: dict[str, Callable[[Session, Claimed], None]] = {
    "system.canary": place_canary,
    "system.canary_check": check_canary,
    "system.order_changed": canary_changed,
    "system.purge": purge,
    "system.audit_head": export_audit_head,
    "system.seal_audit": seal_audit,
}
