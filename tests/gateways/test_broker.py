"""The courier of hints: never in a request's way, bounded, at once, and empty at an orderly end."""

import os
from queue import Queue
from threading import Event

from dispatch.gateways.broker import Courier
from dispatch.rules.queue import Lane

SECONDS = 20.0


class Way:
    """A way to the broker that can be closed, as one is whose Redis hangs."""

    def __init__(self) -> None:
        """Open."""
        self.sent: Queue[tuple[Lane, int]] = Queue()
        self.entered = Event()
        self.open = Event()
        self.open.set()

    def deliver(self, lane: Lane, job_id: int) -> None:
        """Wait until the way is open, then keep the hint."""
        self.entered.set()
        self.open.wait(SECONDS)
        self.sent.put((lane, job_id))


def test_a_hint_leaves_without_a_second_one() -> None:
    way = Way()
    Courier(way.deliver).send(Lane.DISPATCH, 7)
    assert way.sent.get(timeout=SECONDS) == (Lane.DISPATCH, 7)


def test_a_thousand_hints_behind_a_way_that_hangs_are_one_for_each_lane_and_block_nobody() -> None:
    way = Way()
    courier = Courier(way.deliver)
    way.open.clear()
    courier.send(Lane.DISPATCH, 1)
    assert way.entered.wait(SECONDS)
    for job_id in range(2, 1_002):
        courier.send(Lane.DISPATCH if job_id % 2 else Lane.EMERGENCY, job_id)
    assert courier.waiting == {Lane.EMERGENCY: 2, Lane.DISPATCH: 3}
    assert not courier.flush(0.0)
    way.open.set()
    assert courier.flush(SECONDS)
    sent = [way.sent.get(timeout=SECONDS) for _ in range(3)]
    assert sent == [(Lane.DISPATCH, 1), (Lane.EMERGENCY, 2), (Lane.DISPATCH, 3)]
    assert way.sent.empty()


def test_a_hint_that_comes_during_a_delivery_is_delivered_after_it() -> None:
    way = Way()
    courier = Courier(way.deliver)
    for job_id in range(50):
        way.entered.clear()
        courier.send(Lane.NOTIFY, job_id)
        assert way.entered.wait(SECONDS)
    assert courier.flush(SECONDS)
    assert way.sent.qsize() == 50


def test_a_forked_child_carries_its_own_hints() -> None:
    reading, writing = os.pipe()
    courier = Courier(lambda lane, job_id: os.write(writing, f"{lane.name} {job_id}".encode()) and None)
    courier.send(Lane.DISPATCH, 1)
    assert os.read(reading, 100) == b"DISPATCH 1"
    child = os.fork()
    if child == 0:
        courier.send(Lane.PERIODIC, 2)
        os._exit(0 if courier.flush(SECONDS) else 1)
    assert os.read(reading, 100) == b"PERIODIC 2"
    assert os.waitpid(child, 0)[1] == 0
    os.close(reading)
    os.close(writing)
