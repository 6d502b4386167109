"""The receiver over real sockets: real devices' frames, keys, clocks, repetitions, and everything that is wrong."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import func, select, text

from dispatch import clock
from dispatch.gateways import dc09
from dispatch.models.care import AlarmEvent, AlarmRefusal, AlarmState
from dispatch.models.orders import Order
from dispatch.transaction import Doors
from dispatch.workers.alarm import Door, Limits, Receiver
from dispatch.workers.alarm.limits import Bucket
from dispatch.workers.alarm.server import Datagrams
from tests.alarms.conftest import KEYS, LIMITS, Station
from tests.alarms.wire import PRESS, SECONDS, Caller, answer_from

MADE_PRESS = b'\n33B50027"ADM-CID"0001L0#3001[#3001|1101 00 001]\r'
MADE_POLL = b'\n799A0013"NULL"0000L0#3001[]\r'
FAILED_TO_REPORT = b'\nCAA10027"ADM-CID"0004L0#3001[#3001|1102 00 001]\r'
SEEN_EVENT = b'\n77880027"ADM-CID"0068R0L0#AAA[#AAA|3401 01 070]\r'
SEEN_POLL = b'\nEA740027"NULL"0000L0#1409[]_20:38:07,08-27-2026\r'


def count(station: Station, model: type) -> int:
    """How many rows there are."""
    with station.database.session() as session:
        return session.execute(select(func.count()).select_from(model)).scalar_one()


def now(station: Station) -> datetime:
    """Real time by the database's clock, in whole seconds as a stamp has it."""
    with station.database.session() as session:
        return clock.real(session).replace(microsecond=0)


def orders_placed(station: Station) -> list[tuple[str, str | None]]:
    """Urgency and origin of what was placed."""
    with station.database.session() as session:
        return [tuple(row) for row in session.execute(select(Order.urgency, Order.origin).order_by(Order.id))]


def test_frames_that_were_made_and_seen_are_answered_and_each_press_is_one_order(station: Station) -> None:
    caller = Caller(station.port, "3001")
    for frame in (MADE_POLL, MADE_PRESS, MADE_PRESS, FAILED_TO_REPORT):
        answer = caller.send(frame)
        assert (answer.token, answer.account, answer.receiver, answer.line) == ("ACK", "3001", None, "0")
    assert orders_placed(station) == [("emergency", "care.alarm")] * 2
    assert caller.send(SEEN_EVENT).token == "DUH"
    assert caller.send(SEEN_POLL).token == "DUH"
    with station.database.session() as session:
        state = session.get_one(AlarmState, station.home.device.id)
        assert state.heard_at is not None
        refused = session.execute(select(AlarmRefusal.account, AlarmRefusal.reason).order_by(AlarmRefusal.account))
        assert [tuple(row) for row in refused] == [("1409", "unknown"), ("AAA", "unknown")]


@pytest.mark.parametrize("size", sorted(KEYS))
def test_a_device_with_a_key_is_heard_under_it_alone(station: Station, size: int) -> None:
    account, stamp = station.sealed[size], now(station)
    caller = Caller(station.port, account, KEYS[size])
    answer = caller.send(caller.frame(PRESS, 1, stamped_at=stamp))
    assert (answer.token, answer.encrypted, answer.sequence) == ("ACK", True, 1)
    told = dc09.unseal(answer.body, encrypted=True, key=KEYS[size]).stamped_at
    assert told is not None
    assert caller.send(caller.frame(stamped_at=stamp)).token == "ACK"
    stranger = Caller(station.port, account, KEYS[size][:-1] + b"\xff")
    assert stranger.send(stranger.frame(PRESS, 2, stamped_at=stamp)).token == "DUH"
    plain = Caller(station.port, account)
    assert plain.send(plain.frame(PRESS, 2)).token == "DUH"
    assert caller.send(caller.frame(PRESS, 2)).token == "DUH"
    assert count(station, AlarmEvent) == 1


def test_a_clock_that_is_wrong_is_told_the_time_and_an_alarm_under_it_is_not_silent(station: Station) -> None:
    caller, stamp = Caller(station.port, "3001"), now(station)
    answer = caller.send(caller.frame(PRESS, 1, stamped_at=stamp - timedelta(minutes=5)))
    assert (answer.token, answer.account) == ("NAK", "A0")
    told = dc09.unseal(answer.body, encrypted=False).stamped_at
    assert told is not None
    assert abs(told - stamp) < timedelta(minutes=1)
    with station.database.session() as session:
        level = text("SELECT level FROM alarms WHERE kind = 'device_refused' AND cleared_at IS NULL")
        assert session.execute(level).scalars().all() == ["emergency"]
    assert caller.send(caller.frame(PRESS, 1, stamped_at=told)).token == "ACK"
    assert orders_placed(station) == [("emergency", "care.alarm")]
    with station.database.session() as session:
        assert session.execute(level).scalars().all() == []


def test_frames_events_and_the_time_of_an_emergency_are_counted(station: Station) -> None:
    def counted(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(f"dispatch_alarm_{name}", labels) or 0.0

    def figures() -> list[float]:
        results = [("accepted", ""), ("repeated", ""), ("poll", ""), ("refused", "unknown"), ("bad", "checksum")]
        frames = [counted("frames_total", result=result, reason=reason) for result, reason in results]
        return [*frames, counted("events_total", meaning="emergency"), counted("emergency_seconds_count")]

    caller, before = Caller(station.port, "3001"), figures()
    with caller.connected() as connection:
        connection.sendall(MADE_PRESS.replace(b"1101", b"1100"))
        for frame in (MADE_PRESS, MADE_PRESS, MADE_POLL, SEEN_POLL):
            connection.sendall(frame)
            answer_from(connection)
    assert [after - was for after, was in zip(figures(), before, strict=True)] == [1, 1, 1, 1, 1, 1, 1]


def test_over_udp_the_same_is_said_and_done(station: Station) -> None:
    caller = Caller(station.port, "3001")
    assert caller.send_datagram(caller.frame()).token == "ACK"
    for _ in range(2):
        assert caller.send_datagram(caller.frame(PRESS, 9)).token == "ACK"
    assert len(orders_placed(station)) == 1


def test_a_storm_of_the_same_frame_from_everywhere_is_one_event(station: Station) -> None:
    caller = Caller(station.port, "3001")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(caller.send, [MADE_PRESS] * 24))
    assert {answer.token for answer in answers} == {"ACK"}
    assert (count(station, AlarmEvent), len(orders_placed(station))) == (1, 1)


def test_garbage_half_frames_and_slow_senders_are_survived(station: Station) -> None:
    caller = Caller(station.port, "3001")
    broken = MADE_PRESS.replace(b"1101", b"1100")
    with caller.connected() as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n" + broken + MADE_PRESS[:20] + MADE_POLL)
        assert answer_from(connection).token == "ACK"
    with caller.connected() as connection:
        connection.sendall(MADE_PRESS[:25])
        assert connection.recv(1) == b""
    with caller.connected() as connection:
        connection.sendall(b"\n" + b"A" * 5_000)
        assert connection.recv(1) == b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for junk in (b"", b"\x00" * 100, broken, b"\n" + b"9" * 5_000):
            sender.sendto(junk, ("127.0.0.1", station.port))
    assert caller.send(MADE_POLL).token == "ACK"
    assert count(station, AlarmEvent) == 0
    counted = station.receiver.counted
    assert (counted["too_slow"], counted["bad_length"] >= 1, counted["bad_checksum"] >= 2) == (1, True, True)


def test_one_address_does_not_take_all_the_room(station: Station) -> None:
    caller, here = Caller(station.port, "3001"), ("127.0.0.1", station.port)
    crowd = [socket.create_connection(here) for _ in range(LIMITS.per_address)]
    crowd[0].sendall(MADE_POLL)
    assert answer_from(crowd[0]).token == "ACK"
    with caller.connected() as connection:
        assert connection.recv(1) == b""
    assert station.receiver.counted["no_room"] == 1
    for one in crowd:
        one.close()


def test_who_sends_too_much_is_dropped_by_udp_slowed_by_tcp_and_keeps_nobody_else_out(station: Station) -> None:
    caller, here = Caller(station.port, "3001"), "127.0.0.1"
    station.receiver.door.buckets[here] = Bucket(rate=4.0, most=3.0, held=3.0, at=monotonic())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(30):
            sender.sendto(MADE_POLL, (here, station.port))
    assert caller.send(MADE_PRESS).token == "ACK"
    assert station.receiver.counted["dropped"] >= 1
    assert (count(station, AlarmEvent), len(orders_placed(station))) == (1, 1)


async def datagrams(frames: list[bytes]) -> Receiver:
    """A receiver, of which no clerk works, that these datagrams have reached."""
    receiver = Receiver(Limits(waiting=2), datetime.now(UTC))
    listener = Datagrams(receiver)
    for frame in frames:
        listener.datagram_received(frame, ("10.0.0.1", 4000))
        await asyncio.sleep(0)
    for task in receiver.tasks:
        task.cancel()
    receiver.pool.shutdown()
    return receiver


def test_a_flood_of_polls_by_udp_keeps_no_alarm_out_and_neither_heaps_up() -> None:
    with ThreadPoolExecutor(1) as pool:
        receiver = pool.submit(asyncio.run, datagrams([MADE_POLL] * 5 + [MADE_PRESS] * 5)).result()
    waiting = [receiver.queue.get_nowait().is_poll for _ in range(receiver.queue.qsize())]
    assert waiting == [False, False, True, True]
    assert receiver.counted["dropped"] == 6


def test_an_address_may_send_so_many_and_then_waits_longer_and_longer() -> None:
    door = Door(Limits(frames_per_second=10.0))
    flood, other = door.bucket_of("10.0.0.1", 0.0), door.bucket_of("10.0.0.2", 0.0)
    assert [flood.take(0.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert [round(flood.owe(0.0), 1) for _ in range(3)] == [0.1, 0.2, 0.3]
    assert (other.owe(0.0), flood.take(0.3), flood.take(0.5)) == (0.0, False, True)


def test_while_the_database_is_away_nobody_is_answered_and_the_repetition_afterwards_is(station: Station) -> None:
    caller, engine = Caller(station.port, "3001"), Doors.engine
    with caller.connected() as connection:
        connection.settimeout(0.5)
        Doors.engine = None
        connection.sendall(MADE_PRESS)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        Doors.engine = engine
        connection.settimeout(SECONDS)
        connection.sendall(MADE_PRESS)
        assert answer_from(connection).token == "ACK"
    assert (count(station, AlarmEvent), len(orders_placed(station))) == (1, 1)
