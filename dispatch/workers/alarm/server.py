"""The sockets: TCP and UDP in one loop; clerks take what waits to the database and bring back the answers."""

import asyncio
import signal
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from time import monotonic
from typing import Any, cast

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection

from config.settings import Settings, get_settings
from dispatch import boot, clock
from dispatch.errors import Unavailable
from dispatch.gateways import dc09
from dispatch.gateways.dc09 import BadFrame, Splitter
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.care.signals import PRESSING
from dispatch.transaction import WAITED_TOO_LONG, transaction
from dispatch.workers.alarm import figures
from dispatch.workers.alarm.judging import Verdict, Waiting, is_event, judge
from dispatch.workers.alarm.limits import Door, Limits, Refusals

READ_BYTES = 4_096
TELL_SECONDS = 60.0
RETRY_SECONDS = 1.0
STOP_SECONDS = 5.0

AWAY = (Unavailable, OperationalError, InterfaceError, NoConnection)
"""What is the matter when the database cannot be asked: nothing is tried again from here, the devices repeat."""

PATIENCE_ENDED = frozenset({WAITED_TOO_LONG, "57014"})
"""Somebody else held a row, or a statement took too long: the database is there, and what is done by itself may do."""

log = structlog.get_logger()


@dataclass(order=True, slots=True)
class Place:
    """A place in the queue: whatever is more than a poll goes before all polls, else who came first."""

    is_poll: bool
    number: int
    waiting: Waiting = field(compare=False)
    answer: "asyncio.Future[bytes | None]" = field(compare=False)
    since: float = field(compare=False, default_factory=monotonic)

    def settle(self, verdict: Verdict | None) -> None:
        """Give the answer to whoever still waits for it, and count how long it took."""
        if verdict is not None:
            self.measure(verdict)
        if not self.answer.done():
            self.answer.set_result(None if verdict is None else verdict.reply)

    def measure(self, verdict: Verdict) -> None:
        """Count what became of the frame; its transaction is over."""
        seconds = monotonic() - self.since
        figures.frames.labels(verdict.result, verdict.reason).inc()
        figures.answered.labels("poll" if self.is_poll else "event").observe(seconds)
        for meaning in verdict.meanings:
            figures.events.labels(str(meaning)).inc()
        if PRESSING.intersection(verdict.meanings):
            figures.emergencies.observe(seconds)


@dataclass(slots=True)
class Receiver:
    """One receiver: its limits, what waits, and what it has counted since it last told."""

    limits: Limits
    up_since: datetime
    door: Door = field(init=False)
    refusals: Refusals = field(init=False)
    queue: "asyncio.PriorityQueue[Place]" = field(init=False)
    room: "dict[bool, asyncio.Semaphore]" = field(init=False)
    numbers: "count[int]" = field(default_factory=count)
    pool: ThreadPoolExecutor = field(init=False)
    counted: Counter[str] = field(default_factory=Counter)
    tasks: "set[asyncio.Task[Any]]" = field(default_factory=set)
    busy: int = 0
    free: asyncio.Event = field(default_factory=asyncio.Event)
    gathering: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.door = Door(self.limits)
        self.refusals = Refusals(self.limits.refusals_per_minute)
        self.queue = asyncio.PriorityQueue()
        self.room = {is_poll: asyncio.Semaphore(self.limits.waiting) for is_poll in (False, True)}
        self.pool = ThreadPoolExecutor(self.limits.clerks, thread_name_prefix="clerk")

    def keep(self, task: "asyncio.Task[Any]") -> None:
        """Hold a task until it is over: the loop itself does not."""
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def start(self) -> None:
        """Begin the work of the clerks and the minute's word."""
        for _ in range(self.limits.clerks):
            self.keep(asyncio.create_task(self.clerk()))
        self.keep(asyncio.create_task(self.tell()))

    async def clerk(self) -> None:
        """Take what waits to the database, many at once, and give back the answers, for ever."""
        while True:
            async with self.gathering:
                batch = await self.gather()
                self.busy += 1
                self.free.clear()
            await self.serve(batch)
            self.busy -= 1
            if not self.busy:
                self.free.set()
            for _ in batch:
                self.queue.task_done()

    async def gather(self) -> "list[Place]":
        """What waits, as much as goes into one transaction.

        While another clerk is busy, a moment is waited for those behind: together they cost little more than one.
        """
        batch = [await self.queue.get()]
        if self.busy and self.queue.qsize() < self.limits.events_together:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.free.wait(), self.limits.gather_seconds)
        events = not batch[0].is_poll
        while len(batch) < self.limits.together and events < self.limits.events_together and self.queue.qsize():
            batch.append(self.queue.get_nowait())
            events += not batch[-1].is_poll
        return batch

    async def serve(self, batch: "Sequence[Place]") -> None:
        """Answer a batch; of one that fails each half is done by itself, down to the one, which stops no other.

        Who cannot be answered is not: the device repeats. Nothing of what failed was kept.
        """
        work = self.pool.submit(judge, [one.waiting for one in batch], self.up_since, self.refusals)
        done = asyncio.wrap_future(work)
        await asyncio.wait([done])
        error = done.exception()
        if error is None:
            await self.settle(batch, done.result())
        elif len(batch) > 1 and not is_away(error):
            middle = len(batch) // 2
            await asyncio.gather(self.serve(batch[:middle]), self.serve(batch[middle:]))
        else:
            self.counted["unanswered"] += len(batch)
            figures.frames.labels("unanswered", "").inc(len(batch))
            log.warning("alarm_frames_failed", error=type(error).__name__, frames=len(batch), exc_info=error)
            for one in batch:
                one.settle(None)
            if is_away(error):
                await asyncio.sleep(RETRY_SECONDS)

    async def settle(self, batch: "Sequence[Place]", verdicts: "Sequence[Verdict | None]") -> None:
        """Give the answers of a batch; a device that somebody else holds is waited for by itself, after all others."""
        held = []
        for one, verdict in zip(batch, verdicts, strict=True):
            if verdict is None:
                held.append(one)
            else:
                one.settle(verdict)
        self.counted["answered"] += len(batch) - len(held)
        for one in held:
            await self.serve([one])

    def read(self, line: bytes) -> Waiting | None:
        """A line of the wire as a frame; None, and counted, for what is none and gets no answer."""
        try:
            return Waiting(dc09.read(line))
        except BadFrame as error:
            self.counted[f"bad_{error.fault}"] += 1
            figures.frames.labels("bad", str(error.fault)).inc()
            return None

    def is_full(self, waiting: Waiting) -> bool:
        """Whether as many wait already as may, polls and events each by themselves."""
        return self.room[not is_event(waiting)].locked()

    async def take(self, waiting: Waiting) -> bytes | None:
        """The answer to a frame; None for what gets none. Waits while too much waits already."""
        is_poll = not is_event(waiting)
        async with self.room[is_poll]:
            place = Place(is_poll, next(self.numbers), waiting, asyncio.get_running_loop().create_future())
            self.queue.put_nowait(place)
            return await place.answer

    async def tell(self) -> None:
        """Say once a minute what came, where anything came."""
        while True:
            await asyncio.sleep(TELL_SECONDS)
            for kind, number in sorted(self.counted.items()):
                log.info("alarm_receiver", kind=kind, frames=number)
            self.counted.clear()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One TCP connection until it is over: closed by the device, too slow, too long, or one too many."""
        address = str((writer.get_extra_info("peername") or ("",))[0])
        if not self.door.enter(address):
            self.ended("no_room")
            writer.close()
            return
        figures.connections.inc()
        try:
            await self.talk(reader, writer, address)
        except BadFrame:
            self.ended("bad_length")
        except TimeoutError:
            self.ended("too_slow")
        except OSError:
            self.ended("broken_off")
        finally:
            figures.connections.dec()
            self.door.leave(address)
            writer.close()

    def ended(self, why: str) -> None:
        """Count a connection that ended otherwise than by the device's wish."""
        self.counted[why] += 1
        figures.closed.labels(why).inc()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str) -> None:
        """Frame by frame: each is answered before the next is read, so that nobody fills what waits alone."""
        loop, splitter = asyncio.get_running_loop(), Splitter()
        until = loop.time() + self.limits.frame_seconds
        while True:
            chunk = await asyncio.wait_for(reader.read(READ_BYTES), max(until - loop.time(), 0.001))
            if not chunk:
                return
            began = splitter.waits
            lines = splitter.feed(chunk)
            for line in lines:
                await asyncio.sleep(self.door.bucket_of(address, loop.time()).owe(loop.time()))
                waiting = self.read(line)
                reply = None if waiting is None else await self.take(waiting)
                if reply is not None:
                    writer.write(reply)
                    await asyncio.wait_for(writer.drain(), self.limits.answer_seconds)
            if not splitter.waits:
                until = loop.time() + self.limits.idle_seconds
            elif lines or not began:
                until = loop.time() + self.limits.frame_seconds


@dataclass(slots=True)
class Datagrams(asyncio.DatagramProtocol):
    """UDP: each datagram by itself; what is too much is dropped, the device repeats."""

    receiver: Receiver
    transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there; asyncio's own transports of datagrams are none by their class (Python 3.11)."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Take its frames, where there is room for them."""
        receiver, moment = self.receiver, asyncio.get_running_loop().time()
        try:
            lines = Splitter().feed(data)
        except BadFrame:
            lines = []
        for line in lines:
            is_allowed = receiver.door.bucket_of(str(addr[0]), moment).take(moment)
            waiting = receiver.read(line) if is_allowed else None
            if waiting is not None and not receiver.is_full(waiting):
                receiver.keep(asyncio.create_task(self.answer(waiting, addr)))
            elif waiting is not None or not is_allowed:
                receiver.counted["dropped"] += 1
                figures.frames.labels("dropped", "").inc()

    async def answer(self, waiting: Waiting, addr: Any) -> None:
        """Answer one datagram."""
        reply = await self.receiver.take(waiting)
        if reply is not None and self.transport is not None:
            self.transport.sendto(reply, addr)


def is_away(error: BaseException) -> bool:
    """Whether the database cannot be asked at all."""
    return isinstance(error, AWAY) and getattr(getattr(error, "orig", None), "sqlstate", None) not in PATIENCE_ENDED


async def listen(receiver: Receiver, host: str, port: int) -> tuple[asyncio.Server, asyncio.BaseTransport]:
    """Both sockets of a port (0: any free one); raises OSError where it is taken."""
    server = await asyncio.start_server(receiver.connected, host, port, limit=READ_BYTES, backlog=512)
    port = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.create_datagram_endpoint(lambda: Datagrams(receiver), local_addr=(host, port))
    except OSError:
        server.close()
        raise
    return server, transport


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Receive until asked to stop; a port that is taken and a database that is away are waited for."""
    receiver = Receiver(limits_of(settings), started())
    while not stop.is_set():
        try:
            server, transport = await listen(receiver, settings.alarm_host, settings.alarm_port)
            break
        except OSError as error:
            log.warning("alarm_port_taken", error=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)
    else:
        return
    receiver.start()
    log.info("alarm_receiver_started")
    await stop.wait()
    server.close()
    transport.close()
    await empty(receiver)
    log.info("alarm_receiver_stopped")


async def empty(receiver: Receiver) -> None:
    """Let what already waits be answered, for some seconds."""
    await asyncio.wait([asyncio.ensure_future(receiver.queue.join())], timeout=STOP_SECONDS)
    for task in receiver.tasks:
        task.cancel()
    receiver.pool.shutdown(cancel_futures=True)


def limits_of(settings: Settings) -> Limits:
    """The limits of this installation."""
    return Limits(connections=settings.alarm_connections, per_address=settings.alarm_per_address)


def started() -> datetime:
    """Real time by the database's clock, or by this machine's while the database is away."""
    try:
        with transaction(EVERYTHING) as session:
            return clock.real(session)
    except (Unavailable, SQLAlchemyError):
        return clock.host_now()


def main() -> int:
    """Receive until SIGTERM or SIGINT."""
    settings = get_settings()
    boot.boot(pool_size=Limits().clerks)
    asyncio.run(until_stopped(settings))
    return 0


async def until_stopped(settings: Settings) -> None:
    """Receive until a signal."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(settings, stop)
