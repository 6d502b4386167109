"""The sweeper: executes what is due and unclaimed after a short grace, with or without the broker."""

import signal
import threading
from collections.abc import Callable
from time import monotonic

import structlog
from sqlalchemy.exc import SQLAlchemyError

from dispatch import boot
from dispatch.errors import Unavailable
from dispatch.queue import Claimed
from dispatch.rules.queue import (
    SUSPECTS_PER_SWEEP,
    SWEEP_EVERY_SECONDS,
    SWEEP_GRACE_SECONDS,
    TICK_EVERY_SECONDS,
    Lane,
    most_per_claim,
)
from dispatch.workers import run

log = structlog.get_logger()


def sweep_once(survives: Callable[[Claimed], bool] | None = None) -> int:
    """One round over all lanes, the most urgent first; returns how many jobs were taken. See run_suspect.

    Between two claims of any other lane the emergencies are looked after, so that slow receivers do not hold them.
    """
    taken = 0
    for lane in Lane:
        while claimed := run.run_due(lane, grace_seconds=SWEEP_GRACE_SECONDS):
            taken += claimed
            if lane is not Lane.EMERGENCY:
                taken += run.run_due(Lane.EMERGENCY, grace_seconds=SWEEP_GRACE_SECONDS)
            if claimed < most_per_claim(lane):
                break
        taken += run_suspects(lane, survives)
    return taken


def run_suspects(lane: Lane, survives: Callable[[Claimed], bool] | None) -> int:
    """Run up to twenty suspects of a lane, one after the other."""
    return next((done for done in range(SUSPECTS_PER_SWEEP) if not run.run_suspect(lane, survives)), SUSPECTS_PER_SWEEP)


def main() -> int:
    """Sweep every half second and tick every five until SIGTERM or SIGINT; a lost database is waited for."""
    boot.boot(pool_size=4)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    next_tick = 0.0
    log.info("sweeper_started")
    while not stop.is_set():
        try:
            if monotonic() >= next_tick:
                next_tick = monotonic() + TICK_EVERY_SECONDS
                run.tick()
            sweep_once()
        except (SQLAlchemyError, Unavailable) as error:
            log.warning("sweeper_waits", error=type(error).__name__)
            run.Holder.forget()
        stop.wait(SWEEP_EVERY_SECONDS)
    log.info("sweeper_stopped")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
