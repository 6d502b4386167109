"""Webhooks against a real HTTP receiver: signed, bounded, never redirected, never to a private address."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler

import pytest

from dispatch.errors import Unavailable
from dispatch.gateways.messages import Message, Refused, Uncertain, send
from dispatch.gateways.messages.address import find_target, is_public
from dispatch.rules.notify.signature import verify
from tests.gateways.receivers import Arrived, HttpReceiver, http_receiver, reply
from tests.processes import free_port

MESSAGE = Message(
    channel="webhook",
    message_id="offer:7",
    order_number="HQ1",
    address="",
    created_at=datetime(2026, 11, 23, tzinfo=UTC),
    sent_at=datetime(2026, 11, 24, tzinfo=UTC),
    body='{"text":"管道疏通"}'.encode(),
    secret="shared",
)


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as running:
        yield running


def test_a_webhook_arrives_with_its_name_and_a_signature_of_its_own_time(
    receiver: HttpReceiver,
) -> None:
    assert send(replace(MESSAGE, address=receiver.url("/f001?a=1"))) == "200"
    (arrived,) = receiver.arrived
    assert (arrived.path, arrived.body) == ("/f001?a=1", MESSAGE.body)
    assert arrived.headers["X-Dispatch-Message"] == "offer:7"
    assert arrived.headers["Host"] == f"127.0.0.1:{receiver.port}"
    signature = arrived.headers["X-Dispatch-Signature"]
    assert verify("shared", signature, arrived.body, int(MESSAGE.sent_at.timestamp())) is None


def test_a_repeat_that_the_receiver_knows_counts_as_accepted(receiver: HttpReceiver) -> None:
    receiver.answer = lambda handler, _: reply(handler, 409)
    assert send(replace(MESSAGE, address=receiver.url())) == "409"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Refused),
        (404, Refused),
        (410, Refused),
        (429, Unavailable),
        (408, Unavailable),
        (500, Uncertain),
        (503, Uncertain),
    ],
)
def test_an_answer_decides_whether_it_is_tried_again(
    receiver: HttpReceiver, status: int, error: type[Exception]
) -> None:
    receiver.answer = lambda handler, _: reply(handler, status)
    with pytest.raises(error) as raised:
        send(replace(MESSAGE, address=receiver.url()))
    assert raised.type is error


def test_a_redirect_is_not_followed(receiver: HttpReceiver) -> None:
    receiver.answer = lambda handler, _: reply(handler, 307, {"Location": receiver.url("/elsewhere")})
    with pytest.raises(Refused):
        send(replace(MESSAGE, address=receiver.url()))
    assert [one.path for one in receiver.arrived] == ["/f001"]


def test_nobody_listening_means_certainly_not_delivered() -> None:
    with pytest.raises(Unavailable) as raised:
        send(replace(MESSAGE, address=f"http://127.0.0.1:{free_port()}/f001"))
    assert raised.type is Unavailable


def test_a_receiver_that_hangs_up_after_reading_leaves_it_uncertain(receiver: HttpReceiver) -> None:
    def hang_up(handler: BaseHTTPRequestHandler, _arrived: Arrived) -> None:
        handler.connection.shutdown(socket.SHUT_RDWR)

    receiver.answer = hang_up
    with pytest.raises(Uncertain):
        send(replace(MESSAGE, address=receiver.url()))


def test_an_endless_answer_is_read_to_its_limit_and_no_further(receiver: HttpReceiver) -> None:
    def pour(handler: BaseHTTPRequestHandler, _arrived: Arrived) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(10_000):
                handler.wfile.write(b"x" * 65_536)
        except OSError:
            handler.close_connection = True

    receiver.answer = pour
    began = time.monotonic()
    assert send(replace(MESSAGE, address=receiver.url())) == "200"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - refused
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::7f00:1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)
def test_an_address_of_our_own_or_in_disguise_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "223.5.5.5", "2400:3200::1"])
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/f001",
        "https://localhost/f001",
        "https://[::1]/f001",
        "https://[::ffff:127.0.0.1]/f001",
        "https://10.1.2.3/f001",
        "https://169.254.169.254/latest",
        "https://2130706433/f001",
        "http://8.8.8.8/f001",
    ],
)
def test_outside_the_demo_only_https_to_public_addresses_is_called(url: str) -> None:
    with pytest.raises(Refused):
        find_target(url, demo=False)


@pytest.mark.parametrize("url", ["http://10.1.2.3/f001", "https://[fe80::1]/f001", "http://8.8.8.8/f001"])
def test_the_demo_may_call_this_machine_and_nothing_else_that_is_private(url: str) -> None:
    with pytest.raises(Refused):
        find_target(url, demo=True)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://8.8.8.8/",
        "file:///etc/passwd",
        "https://user:pass@8.8.8.8/",
        "https:///nowhere",
        "https://8.8.8.8:99999/",
        "https://8.8.8.8:0/",
        "https://8.8.8.8/a\r\nX-Evil: 1",
        "https://8.8.8.8/ a",
        "https://例子.example/",
        f"https://8.8.8.8/{'a' * 2_000}",
    ],
)
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        find_target(url, demo=True)


def test_a_name_is_connected_to_by_the_address_that_was_checked() -> None:
    target = find_target("http://localhost:8080/f001", demo=True)
    assert set(target.addresses) <= {"127.0.0.1", "::1"}
    assert (target.host, target.host_header) == ("localhost", "localhost:8080")


def test_a_message_does_not_show_its_secret_link_or_address() -> None:
    shown = repr(replace(MESSAGE, address="https://firm.example/x", text="https://here/w/token"))
    assert not any(word in shown for word in ("shared", "firm.example", "token", "管道"))
