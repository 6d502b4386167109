"""A single order on an idle house: commit to notice received, against commit to the start of a Celery task."""

import json
import time
from datetime import datetime
from statistics import median

from redis import Redis

from benchmarks import backlog
from benchmarks.house import House
from benchmarks.measure import Pair, tell, tell_pair
from benchmarks.noop import QUEUE, STARTED, stamp
from config.settings import get_settings
from dispatch import clock
from dispatch.commands import worker
from dispatch.gateways.broker import Broker, Publisher
from dispatch.gateways.messages.received import log_path
from dispatch.rules.queue import Lane
from dispatch.services import orders
from dispatch.transaction import transaction

AIM = 3.0
PAUSE_SECONDS = 0.15
FIRST_TRIES = 6
WAIT_SECONDS = 15
OFFERED = "SELECT 1 FROM orders WHERE number = %s AND state = 'offered'"


class Stamped:
    """The way of hints that also keeps the moment of each: right after the commit."""

    committed: float = 0.0

    @classmethod
    def send(cls, lane: Lane, job_id: int) -> None:
        """Keep the moment, then send."""
        cls.committed = time.time()
        Publisher.send(lane, job_id)


def received_at(house: House, number: str) -> float:
    """When the firm's receiver got the notice of an order, by its own log."""
    limit = time.monotonic() + WAIT_SECONDS
    log = log_path(house.home)
    while time.monotonic() < limit:
        if log.exists():
            for line in reversed(log.read_text(encoding="utf-8").splitlines()[-20:]):
                arrival = json.loads(line)
                if arrival["order_number"] == number:
                    return datetime.fromisoformat(arrival["at"]).timestamp()
        time.sleep(0.005)
    raise TimeoutError(number)


def one_order(house: House, number: int, places: list[int]) -> tuple[float, float]:
    """Milliseconds from the commit of an order to its committed offer and to its notice's arrival."""
    actor = backlog.placer(house)
    with transaction(actor.scope) as session:
        call = backlog.draft(places[number % len(places)], number)
        placed = orders.place(session, call, actor=actor, now=clock.now(session)).number
    committed, routed = Stamped.committed, 0.0
    with house.owner() as owner:
        while not routed:
            if owner.execute(OFFERED, (placed,)).fetchone():
                routed = time.time()
            else:
                time.sleep(0.001)
    return (routed - committed) * 1000, (received_at(house, placed) - committed) * 1000


def one_task(number: int) -> float:
    """Milliseconds from sending a task to its start."""
    sent = time.time()
    stamp.apply_async((number,), queue=QUEUE)
    answer = Redis.from_url(get_settings().redis_url).blpop([f"{STARTED}.{number}"], timeout=WAIT_SECONDS)
    if answer is None:
        raise TimeoutError(number)
    return (float(answer[1]) - sent) * 1000


def measure(house: House, *, count: int) -> None:
    """Measure and print."""
    tell(f"== Idle: {count} single orders and {count} single tasks in turns, milliseconds from the commit (median)")
    backlog.open_doors()
    backlog.forget_work(house)
    places = backlog.stairwells(house)
    routed, noticed, started = [], [], []
    Broker.way = Stamped
    with house.child("noop", backlog.noop_command()), house.child("worker", worker.command(get_settings())):
        for number in range(-FIRST_TRIES, count):
            time.sleep(PAUSE_SECONDS)
            task = one_task(number)
            time.sleep(PAUSE_SECONDS)
            offered, arrived = one_order(house, number, places)
            if number >= 0:
                started.append(task)
                routed.append(offered)
                noticed.append(arrived)
    Broker.way = Publisher
    tell(f"    commit → offer committed (seen by polling): {median(routed):.1f} ms")
    pair = Pair(noticed, started)
    tell_pair(
        "commit → routed and noticed : commit → task start", pair, "ms", f"≤ {AIM:.0f}", reached=pair.ratio <= AIM
    )
