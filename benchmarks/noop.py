"""The peer of dispatch: Celery with the house's own worker settings and tasks that do nothing."""

import time

from redis import Redis

from config.settings import get_settings
from dispatch.gateways import broker

QUEUE = "noop"
STARTED = "bench.started"

celery = broker.make_celery(publisher=False)


@celery.task(name="bench.noop")
def noop(_number: int) -> None:
    """Nothing."""


@celery.task(name="bench.stamp")
def stamp(number: int) -> None:
    """Tell when this task has started."""
    began = time.time()
    Redis.from_url(get_settings().redis_url).rpush(f"{STARTED}.{number}", repr(began))
