"""The faults: each hurts a town until it is told to stop."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import psycopg
from redis.exceptions import RedisError

from tests.faults.town import Town

READY = 200
LONGEST_SECONDS = 600.0
RECOVERY_SECONDS = 180.0
"""A child that was killed often waits half a minute before it is started again, and a busy machine starts it slowly."""
Fault = Callable[[Town, Random, threading.Event], None]


def kill_workers(town: Town, chance: Random, over: threading.Event) -> None:
    """kill -9 of one worker after the other, with its children, every second."""
    while not over.wait(1.0):
        town.hit(chance.choice([name for name in town.processes if name.startswith("worker")] or ["worker"]))


def kill_sweepers(town: Town, chance: Random, over: threading.Event) -> None:
    """kill -9 of one sweeper or beat after the other, every second."""
    while not over.wait(1.0):
        town.hit(chance.choice([name for name in town.processes if name.startswith(("sweep", "beat"))] or ["sweep"]))


def kill_web(town: Town, chance: Random, over: threading.Event) -> None:
    """kill -9 of the web server with requests in it, at an odd moment after each time that it is back."""
    while not over.wait(chance.uniform(0.2, 1.5)):
        if town.ask("GET", "/readyz")[0] == READY:
            over.wait(chance.uniform(0.1, 1.5))
            town.hit("web")


def wipe_redis(town: Town, _chance: Random, over: threading.Event) -> None:
    """FLUSHALL three times a second."""
    while not over.wait(0.3):
        try:
            town.redis().flushall()
        except RedisError:
            continue
        town.hits["wipe"] += 1


def kill_redis(town: Town, _chance: Random, over: threading.Event) -> None:
    """kill -9 of Redis as soon as it is back."""
    while not over.wait(0.5):
        town.hit("redis")


def freeze_redis(town: Town, _chance: Random, over: threading.Event) -> None:
    """SIGSTOP of Redis for the whole time: sockets stay open and nobody answers."""
    town.hit("redis", signal.SIGSTOP)
    over.wait()
    town.hit("redis", signal.SIGCONT)


def kill_postgres(town: Town, _chance: Random, over: threading.Event) -> None:
    """kill -9 of PostgreSQL's postmaster: crash recovery, every lost connection an unknown end."""
    while not over.wait(4.0):
        town.hit("postgres", children=False)


def break_connections(town: Town, _chance: Random, over: threading.Event) -> None:
    """End every connection of the application, again and again: commits whose end nobody hears."""
    while not over.wait(0.7):
        try:
            ended = town.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'dispatch_app' "
                "AND pid <> pg_backend_pid()"
            )
        except psycopg.Error:
            continue
        town.hits["connection"] += len(ended)


def no_fault(_town: Town, _chance: Random, over: threading.Event) -> None:
    """Nothing happens: the measure of the others."""
    over.wait()


@contextmanager
def happening(fault: Fault, town: Town, seed: int, most_seconds: float = LONGEST_SECONDS) -> Iterator[None]:
    """The fault goes on while the block runs, but at most so long; then everything is let go, and alive again."""
    over = threading.Event()
    enough = threading.Timer(most_seconds, over.set)
    enough.start()
    thread = threading.Thread(target=fault, args=(town, Random(seed), over))  # noqa: S311 - repeatable chance, no secret
    thread.start()
    try:
        yield
    finally:
        enough.cancel()
        over.set()
        thread.join()
    town.until(lambda: is_whole(town), "recovery", RECOVERY_SECONDS)


def is_whole(town: Town) -> bool:
    """Whether every process lives and the pages answer."""
    for number in town.processes.values():
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return False
    return town.ask("GET", "/readyz")[0] == READY
