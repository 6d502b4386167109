"""A receiver in a thread of this process, with a world of devices in a database of its own."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

import pytest

from dispatch.workers.alarm import Limits, Receiver
from dispatch.workers.alarm.server import empty, listen, started
from tests.conftest import Database
from tests.factories.alarms import Watched, device_of, watched
from tests.factories.world import make_world

LIMITS = Limits(connections=40, per_address=30, frame_seconds=0.5, idle_seconds=3.0)
KEYS = {size: bytes(range(size)) for size in (16, 24, 32)}


@dataclass(frozen=True, slots=True)
class Station:
    """A receiver that runs, the home that it watches, and devices that speak under keys, by the bytes of the key."""

    database: Database
    receiver: Receiver
    port: int
    home: Watched
    sealed: dict[int, str] = field(default_factory=dict)


def run(receiver: Receiver, ready: "Future[int]", stop: threading.Event) -> None:
    """The receiver's loop in a thread of its own."""

    async def receive() -> None:
        server, transport = await listen(receiver, "127.0.0.1", 0)
        receiver.start()
        ready.set_result(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(stop.wait)
        server.close()
        transport.close()
        await empty(receiver)

    asyncio.run(receive())


@pytest.fixture
def station(committed: Database) -> Iterator[Station]:
    with committed.session() as session:
        world = make_world(session)
        home = watched(session, world, account="3001")
        sealed = {size: device_of(session, world, None, key=key.hex()).account for size, key in KEYS.items()}
        session.commit()
    receiver, ready, stop = Receiver(LIMITS, started()), Future[int](), threading.Event()
    thread = threading.Thread(target=run, args=(receiver, ready, stop))
    thread.start()
    yield Station(committed, receiver, ready.result(60), home, sealed)
    stop.set()
    thread.join()
