"""What `celery -A dispatch.workers.app` starts: one task for all lanes, and what a tick does."""

from time import monotonic
from typing import Any

import structlog
from celery.signals import worker_process_init
from sqlalchemy.exc import SQLAlchemyError

from dispatch import boot
from dispatch.errors import Unavailable
from dispatch.gateways import broker
from dispatch.rules.queue import DRAIN_SECONDS, MOST_NOTICES, Lane, most_per_claim
from dispatch.transaction import keeping_hints
from dispatch.workers import run

OUTGOING = frozenset({Lane.EMERGENCY, Lane.NOTIFY})
"""The lanes of notices, which leave the house."""

log = structlog.get_logger()

celery = broker.make_celery(publisher=False)


@worker_process_init.connect(weak=False)
def start_child(**_: Any) -> None:
    """Each child of the worker ends with it, even when it is killed, and opens its own engine."""
    boot.die_with_parent()
    boot.boot(pool_size=4)


@celery.task(name=broker.TASK)
def run_lane(lane: int, job_id: int) -> None:
    """A hint came: take what is due in the lane until it is empty or the time is up (one hint may serve many).

    What fails here the sweeper finds.
    """
    until = monotonic() + DRAIN_SECONDS
    try:
        while serve(Lane(lane)) and monotonic() < until:
            pass
    except (SQLAlchemyError, Unavailable) as error:
        log.warning("hint_unserved", hinted=job_id, error=type(error).__name__)
        run.Holder.forget()


def serve(lane: Lane) -> int:
    """Run what is due in the lane once; returns how many jobs.

    The notices of a few orders leave at once from here, without another way over the broker; those of many are
    left to all workers.
    """
    with keeping_hints(OUTGOING) as hints:
        done = run.run_due(lane)
    for following, job_id in sorted(hints.items()):
        if done > MOST_NOTICES or run.run_due(following) == most_per_claim(following):
            broker.hint(following, job_id)
    return done


@celery.task(name="dispatch.tick")
def tick() -> None:
    """Beat says that five seconds have passed."""
    try:
        run.tick()
    except (SQLAlchemyError, Unavailable) as error:
        log.warning("tick_failed", error=type(error).__name__)
