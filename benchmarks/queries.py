"""List page, look-up by phone, due claim and board counts at 10⁴ and at 10⁵ (or 10⁶) orders, in turns."""

import hashlib
import time
from collections.abc import Callable
from statistics import median

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from benchmarks.history import Size, make
from benchmarks.house import House
from benchmarks.measure import tell
from config.settings import APP_ROLE, embedded_database_url
from dispatch import queue
from dispatch.db import make_engine
from dispatch.models.orders import Order
from dispatch.rules.access.roles import EVERYTHING, Actor, Scope
from dispatch.rules.queue import Lane
from dispatch.services import orders
from dispatch.services.access import keys
from dispatch.services.orders import queries
from dispatch.transaction import begin

SMALL = Size("bench_small", 10_000)
LARGE = Size("bench_large", 100_000)
MILLION = Size("bench_million", 1_000_000)
SHORT_LARGE = Size("bench_large", 40_000)
AIM_RATIO = 1.5
AIM_MILLISECONDS = 5.0
PAGE = 50
PHONE = hashlib.md5(b"phone777", usedforsecurity=False).digest()

Ask = Callable[[Session, Actor], object]


def list_page(session: Session, actor: Actor) -> object:
    """The first page of the list."""
    return orders.list_orders(session, actor=actor, filters=orders.OrderFilters(), cursor=None, limit=PAGE).items


def look_up(session: Session, actor: Actor) -> object:
    """The orders of a caller."""
    return orders.orders_of_caller(session, PHONE, actor=actor)


def due_claim(session: Session, _actor: Actor) -> object:
    """One due job, taken."""
    return queue.claim(session, Lane.DISPATCH, limit=1)


def board_counts(session: Session, actor: Actor) -> object:
    """Open orders by state, as the board counts them."""
    seen = queries.reach.visible_orders(actor) & ~Order.is_canary & Order.state.in_(queries.OPEN_STATES)
    return queries.counts(session, Order.state, seen)


QUESTIONS: dict[str, Ask] = {
    "list page of 50": list_page,
    "look-up by phone": look_up,
    "due claim": due_claim,
    "board counts": board_counts,
}


def milliseconds(engine: Engine, ask: Ask, actor: Actor, scope: Scope) -> float:
    """The time of one question in a transaction of its own, rolled back; the transaction's begin is not in it."""
    with Session(engine, expire_on_commit=False) as session:
        begin(session, scope)
        began = time.perf_counter()
        answer = ask(session, actor)
        took = (time.perf_counter() - began) * 1000
        if not answer:
            raise RuntimeError("nothing was found")
        session.rollback()
        return took


def measure(house: House, *, rounds: int, short: bool, million: bool) -> None:
    """Make both databases, measure in turns, print."""
    large = SHORT_LARGE if short else MILLION if million else LARGE
    tell(f"== Queries at {SMALL.orders:,} and {large.orders:,} orders, milliseconds (median of {rounds} in turns)")
    for size in (SMALL, large):
        make(house, size, int(Lane.DISPATCH))
    engines = [make_engine(embedded_database_url(house.home, APP_ROLE, size.database)) for size in (SMALL, large)]
    with Session(engines[0]) as session:
        begin(session, EVERYTHING)
        actor = keys.authenticate_key(session, house.api_key())
    if actor is None:
        raise RuntimeError("the demo's key is not known")
    for name, ask in QUESTIONS.items():
        scope = EVERYTHING if ask is due_claim else actor.scope
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            for engine, kept in zip(engines, times, strict=True):
                kept.append(milliseconds(engine, ask, actor, scope))
        small, big = median(times[0]), median(times[1])
        reached = big <= AIM_RATIO * small and big <= AIM_MILLISECONDS
        verdict = "reached" if reached else "NOT REACHED"
        tell(f"{name}: {big:.2f} ms : {small:.2f} ms = {big / small:.2f} (aim ≤ {AIM_RATIO}, ≤ 5 ms: {verdict})")
    for engine in engines:
        engine.dispose()
