"""Dispatch of a backlog: orders placed while no worker runs, and how fast a worker offers them, against no-op tasks."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from redis import Redis

from benchmarks.house import House, module_command
from benchmarks.measure import in_turns, tell, tell_pair
from benchmarks.noop import QUEUE, celery, noop
from config.settings import get_settings, socket_folder
from dispatch import boot, clock
from dispatch.commands import worker
from dispatch.gateways.broker import Broker, Publisher, Recorded
from dispatch.rules.access.roles import EVERYTHING, Actor
from dispatch.rules.queue import Lane
from dispatch.services import orders
from dispatch.services.access import keys
from dispatch.transaction import Doors, transaction

AIM = 3.0
BROKER_DATABASE = 0
POLL_SECONDS = 0.02
LONGEST_SECONDS = 180
PER_TRANSACTION = 20
KINDS = ("drain_clearing", "plumbing_electric", "water_delivery", "locksmith")
DISPATCH_QUEUE = Lane.DISPATCH.name.lower()
WAITING = (
    "SELECT count(*) FILTER (WHERE state = 'awaiting_dispatch'), count(*) FILTER (WHERE state = 'offered'), "
    "count(*) FROM orders WHERE id > %s"
)


def open_doors() -> None:
    """Let this process open transactions on the house."""
    if Doors.engine is None:
        boot.boot()


def placer(house: House) -> Actor:
    """The actor of the demo's key."""
    with transaction(EVERYTHING) as session:
        actor = keys.authenticate_key(session, house.api_key())
    if actor is None:
        raise RuntimeError("the demo's key is not known")
    return actor


def draft(stairwell_id: int, number: int) -> orders.OrderDraft:
    """One call."""
    return orders.OrderDraft(
        service_id=None,
        service_code=KINDS[number % len(KINDS)],
        description="厨房下水道堵了,水漫到客厅,请尽快来人",
        stairwell_id=stairwell_id,
        caller_name="张三",
        caller_phone=f"139578{number % 100_000:05d}",
        urgency="same_day",
    )


def stairwells(house: House) -> list[int]:
    """All stairwells."""
    with house.owner() as owner:
        return [row[0] for row in owner.execute("SELECT id FROM stairwells ORDER BY id").fetchall()]


def place_many(house: House, count: int) -> int:
    """Place `count` orders and send a hint for each, as so many requests would; returns the id before the first."""
    actor, places = placer(house), stairwells(house)
    drawn = random.Random(count)  # noqa: S311 - which stairwell calls is no secret
    with house.owner() as owner:
        first = int(owner.execute("SELECT coalesce(max(id), 0) FROM orders").fetchone()[0])  # type: ignore[index]
    with recorded() as twin:
        for begin in range(0, count, PER_TRANSACTION):
            with transaction(actor.scope) as session:
                for number in range(begin, min(begin + PER_TRANSACTION, count)):
                    call = draft(drawn.choice(places), number)
                    orders.place(session, call, actor=actor, now=clock.now(session))
    lane, job_id = twin.hints[0]
    for _ in range(count):
        Publisher.send(lane, job_id)
    return first


@contextmanager
def recorded() -> Iterator[Recorded]:
    """Keep hints back."""
    twin, Broker.way = Recorded(), Recorded()
    Broker.way = twin
    try:
        yield twin
    finally:
        Broker.way = Publisher


def waiting_messages() -> Redis:
    """The broker's own database."""
    return Redis(unix_socket_path=str(socket_folder(get_settings().home) / "redis.sock"), db=BROKER_DATABASE)


def until(done: Callable[[], bool]) -> float:
    """Wait for a condition; the moment when it held."""
    limit = time.perf_counter() + LONGEST_SECONDS
    while not done():
        if time.perf_counter() > limit:
            raise TimeoutError("the measurement did not come to its end")
        time.sleep(POLL_SECONDS)
    return time.perf_counter()


def forget_work(house: House) -> None:
    """Nothing of the last run may disturb the next: no open jobs, no messages, fresh statistics."""
    waiting_messages().flushdb()
    with house.owner() as owner:
        owner.execute("UPDATE jobs SET done_at = now() WHERE done_at IS NULL AND dead_at IS NULL")
        owner.execute("VACUUM ANALYZE orders, order_events, jobs, offers, offer_recipients, notices, decision_records")


def drain_orders(house: House, count: int) -> float:
    """Orders offered per second, from the first hint taken to the last offer committed."""
    forget_work(house)
    first = place_many(house, count)
    broker = waiting_messages()
    with house.owner() as owner, house.child("worker", worker.command(get_settings())):
        began = until(lambda: broker.llen(DISPATCH_QUEUE) < count)
        ended = until(lambda: owner.execute(WAITING, (first,)).fetchone()[0] == 0)  # type: ignore[index]
        offered = int(owner.execute(WAITING, (first,)).fetchone()[1])  # type: ignore[index]
    if offered != count:
        message = f"{offered} of {count} orders were offered"
        raise RuntimeError(message)
    return count / (ended - began)


def drain_noops(house: House, count: int) -> float:
    """No-op tasks done per second, from the first taken to the last."""
    broker = waiting_messages()
    broker.flushdb()
    celery.set_current()
    for number in range(count):
        noop.apply_async((number,), queue=QUEUE)
    with house.child("noop", noop_command()):
        began = until(lambda: broker.llen(QUEUE) < count)
        ended = until(lambda: broker.llen(QUEUE) == 0)
    return count / (ended - began)


def noop_command() -> list[str]:
    """The house's own worker command with the tasks that do nothing."""
    changed = {"--app=": "--app=benchmarks.noop", "--queues=": f"--queues={QUEUE}", "--hostname=": "--hostname=noop@%h"}
    words = module_command("celery")
    for word in worker.command(get_settings())[3:]:
        words.append(next((other for begin, other in changed.items() if word.startswith(begin)), word))
    return words


def measure(house: House, *, count: int, rounds: int) -> None:
    """Measure and print."""
    tell(f"== Dispatch of a backlog of {count} orders, per second; peer: {count} no-op tasks of Celery")
    open_doors()
    pair = in_turns(lambda: drain_orders(house, count), lambda: drain_noops(house, count), rounds)
    tell_pair("orders offered : no-op tasks done", pair, "/s", f"≥ {AIM:.0f}", reached=pair.ratio >= AIM)
