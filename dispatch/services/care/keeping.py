"""The day's work of the care calendar: what is over is settled, what is due is made and sent, misses are told."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.models.care import Enrolment
from dispatch.rules.queue import Lane
from dispatch.services.care import cases, helping, misses, periods
from dispatch.services.care.ordering import place_due

BATCH = 100


def keep_duties(session: Session, period: str) -> int:
    """Enqueue the day's work, a job for every hundred enrolments of a community; returns the number of jobs.

    Each job has its own transaction, so that one batch does not stop the others.
    """
    rows = session.execute(
        select(Enrolment.community_id, Enrolment.id)
        .where(Enrolment.ends_on.is_(None))
        .order_by(Enrolment.community_id, Enrolment.id)
    )
    of_community: dict[int, list[int]] = {}
    for community_id, enrolment_id in rows:
        of_community.setdefault(community_id, []).append(enrolment_id)
    made = 0
    for community_id, ids in of_community.items():
        for first in range(0, len(ids), BATCH):
            batch = ids[first : first + BATCH]
            queue.enqueue(
                session,
                "care.keep_batch",
                lane=Lane.PERIODIC,
                reference=community_id,
                dedupe=f"care.keep_batch:{period}:{batch[0]}",
                first=batch[0],
                last=batch[-1],
            )
            made += 1
    return made


def keep_batch(session: Session, community_id: int, first: int, last: int, *, now: datetime) -> int:
    """Do the day's work of the open enrolments first … last of a community; how many orders were placed."""
    ids = session.scalars(
        select(Enrolment.id).where(
            Enrolment.community_id == community_id, Enrolment.id.between(first, last), Enrolment.ends_on.is_(None)
        )
    ).all()
    found, today = cases.load(session, ids, locked=True), clock.today(now)
    settled = [one for case in found for one in periods.settle(session, case, today=today, now=now)]
    misses.hush_settled(session, settled, now=now)
    misses.warn(session, found, today=today, now=now)
    misses.escalate(session, found, today=today, now=now)
    bench = helping.bench_of(session, community_id, today=today)
    periods.renew(session, found, bench, now=now)
    for case in found:
        helping.ask(bench, case, [period for _, period in case.due()])
    return place_due(session, found, bench, now=now)
