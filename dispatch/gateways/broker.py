"""The Celery app and hint(): a nudge to a lane, disposable, never raising, never slow."""

import atexit
import os
from collections.abc import Callable
from threading import Condition, Thread
from time import monotonic, sleep
from typing import Any

import structlog
from celery import Celery
from kombu.exceptions import KombuError
from prometheus_client import Counter
from redis.exceptions import RedisError

from config.settings import get_settings
from dispatch.rules.queue import TICK_EVERY_SECONDS, Lane

BREAKER_SECONDS = 5.0
PAUSE_SECONDS = 0.01
"""Between two messages of a courier: the first hint leaves at once, those that come meanwhile share the next."""
FLUSH_SECONDS = 2.0
TASK = "dispatch.run"

log = structlog.get_logger()
dropped = Counter("dispatch_hints_dropped", "Hints that were not sent: the sweeper finds their jobs")

PUBLISHER = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 1,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
    "connect_retries_timeout": 1,
    "socket_keepalive": True,
}
CONSUMER = {
    "visibility_timeout": 3600,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 0.5,
    "socket_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
}


def make_celery(*, publisher: bool) -> Celery:
    """A Celery app with the promise's settings; publishers (web, sweeper) give up within about a second."""
    app = Celery("dispatch", broker=get_settings().celery_broker_url, set_as_current=False)
    app.conf.update(
        result_backend=None,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=False,
        task_publish_retry=False,
        task_soft_time_limit=45,
        task_time_limit=60,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_soft_shutdown_timeout=20,
        worker_max_tasks_per_child=10_000,
        worker_send_task_events=False,
        task_send_sent_event=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_pool_limit=10,
        broker_pool_acquire_timeout=1,
        beat_max_loop_interval=5,
        broker_transport_options=PUBLISHER if publisher else CONSUMER,
        task_default_queue=Lane.DISPATCH.name.lower(),
        beat_schedule={
            "tick": {
                "task": "dispatch.tick",
                "schedule": float(TICK_EVERY_SECONDS),
                "options": {"queue": Lane.PERIODIC.name.lower(), "expires": TICK_EVERY_SECONDS},
            }
        },
        timezone="Asia/Shanghai",
        enable_utc=True,
    )
    return app


class Publisher:
    """This process's way to the broker: made at the first hint, silent for some seconds after a failure."""

    app: Celery | None = None
    closed_until: float = 0.0

    @classmethod
    def send(cls, lane: Lane, job_id: int) -> None:
        """Send one hint, or drop it: the sweeper finds every job that no hint reached."""
        if monotonic() < cls.closed_until:
            dropped.inc()
            return
        if cls.app is None:
            cls.app = make_celery(publisher=True)
        try:
            cls.app.send_task(TASK, args=(int(lane), job_id), queue=lane.name.lower(), retry=False, ignore_result=True)
        except (KombuError, RedisError, OSError) as error:
            cls.closed_until = monotonic() + BREAKER_SECONDS
            dropped.inc()
            log.warning("hint_dropped", lane=lane.name, error=type(error).__name__)


class Courier:
    """Carries hints in a thread of its own, so that no request waits for the broker.

    One hint serves all of a lane that is due, so what waits is one hint a lane and never more. The thread begins
    with the first hint (after a fork: of the child); hints that no way could deliver are dropped and counted there.
    """

    def __init__(self, deliver: Callable[[Lane, int], None] = Publisher.send) -> None:
        """Deliver by this way; nothing runs yet."""
        self.deliver = deliver
        self.begin_anew()
        os.register_at_fork(after_in_child=self.begin_anew)

    def begin_anew(self) -> None:
        """Nothing waits, nothing runs: at the start, and in a forked child, which has none of its parent's threads."""
        self.changed = Condition()
        self.waiting: dict[Lane, int] = {}
        self.is_delivering = False
        self.thread: Thread | None = None

    def send(self, lane: Lane, job_id: int) -> None:
        """Leave a hint for the thread; one that waits already will serve this job as well."""
        with self.changed:
            self.waiting.setdefault(lane, job_id)
            if self.thread is None or not self.thread.is_alive():
                self.thread = Thread(target=self.carry, name="hints", daemon=True)
                self.thread.start()
            self.changed.notify_all()

    def carry(self) -> None:
        """Until the process ends: deliver what waits, the most pressing lane first."""
        while True:
            with self.changed:
                self.is_delivering = False
                self.changed.notify_all()
                self.changed.wait_for(lambda: self.waiting)
                taken, self.waiting, self.is_delivering = self.waiting, {}, True
            for lane in sorted(taken):
                self.deliver(lane, taken[lane])
            sleep(PAUSE_SECONDS)

    def flush(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Wait until all is delivered, at most so long; whether it was."""
        with self.changed:
            return self.changed.wait_for(lambda: not self.waiting and not self.is_delivering, seconds)


class Recorded:
    """The twin in memory: hints are kept in a list instead of sent (tests, simulation)."""

    hints: list[tuple[Lane, int]]

    def __init__(self) -> None:
        """Start with no hints."""
        self.hints = []

    def send(self, lane: Lane, job_id: int) -> None:
        """Keep the hint."""
        self.hints.append((lane, job_id))


class Broker:
    """Which way hints go: the publisher, or a twin."""

    way: Any = Publisher

    @classmethod
    def in_background(cls) -> None:
        """Let a thread carry this process's hints from now on; those that wait at an orderly end still leave."""
        courier = Courier()
        atexit.register(courier.flush)
        cls.way = courier


def hint(lane: Lane, job_id: int) -> None:
    """Tell a worker of the lane that a job is there; never raises for the broker's sake."""
    Broker.way.send(lane, job_id)
