"""The demo's inbox: believes signatures, dedupes webhooks, marks repeats, survives a kill."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.settings import get_settings
from dispatch.demo.credentials import DemoSecrets
from dispatch.demo.inbox import Inbox, Log
from dispatch.gateways.messages import Message, Refused, send
from dispatch.gateways.messages.received import log_path, read_received
from dispatch.servers.process import wait_until
from dispatch.supervisor.inbox import choose_ports, smtp_url

SECRET = "a secret of thirty-two characters!"
AT = datetime(2026, 11, 23, 2, 5, tzinfo=UTC)
LINK = "http://127.0.0.1:8096/w/token"
BODY = '{"message_id":"offer:7","order_number":"HQ1","text":"请接单","link":"http://127.0.0.1:8096/w/token"}'.encode()


@pytest.fixture
def ports(tmp_path: Path) -> dict[str, int]:
    """The ports of a home's inbox, with this process's mail going there."""
    chosen, _ = choose_ports(tmp_path)
    return chosen


@pytest.fixture
def inbox(tmp_path: Path, ports: dict[str, int]) -> Iterator[Inbox]:
    """A running inbox of a home."""
    os.environ["DISPATCH_SMTP_URL"] = smtp_url(ports)
    get_settings.cache_clear()
    with Inbox(tmp_path, SECRET, ports) as running:
        yield running
    del os.environ["DISPATCH_SMTP_URL"]
    get_settings.cache_clear()


def webhook(ports: dict[str, int], code: str = "F001") -> Message:
    """A webhook to a firm, signed with its secret."""
    return Message(
        channel="webhook",
        message_id="offer:7",
        order_number="HQ1",
        address=f"http://127.0.0.1:{ports['http']}/{code.lower()}",
        created_at=AT,
        sent_at=datetime.now(UTC),
        body=BODY,
        secret=DemoSecrets(SECRET).webhook_secret(code),
    )


def test_a_signed_webhook_is_kept_under_its_firm(tmp_path: Path, inbox: Inbox, ports: dict[str, int]) -> None:
    assert inbox.thread.is_alive()
    assert send(webhook(ports)) == "200"
    (one,) = read_received(tmp_path)
    assert (one.number, one.channel, one.performer_code, one.message_id, one.order_number, one.link) == (
        1,
        "webhook",
        "F001",
        "offer:7",
        "HQ1",
        LINK,
    )
    assert not one.repeat


def test_a_repeated_webhook_is_known_and_marked(tmp_path: Path, inbox: Inbox, ports: dict[str, int]) -> None:
    assert inbox.thread.is_alive()
    assert [send(webhook(ports)) for _ in range(3)] == ["200", "409", "409"]
    assert [one.repeat for one in read_received(tmp_path)] == [False, True, True]


def test_what_is_signed_with_another_firms_secret_is_not_believed(
    tmp_path: Path, inbox: Inbox, ports: dict[str, int]
) -> None:
    assert inbox.thread.is_alive()
    foreign = DemoSecrets(SECRET).webhook_secret("F003")
    with pytest.raises(Refused):
        send(replace(webhook(ports), secret=foreign))
    assert read_received(tmp_path) == []


def test_a_body_that_names_another_message_is_refused(tmp_path: Path, inbox: Inbox, ports: dict[str, int]) -> None:
    assert inbox.thread.is_alive()
    with pytest.raises(Refused):
        send(replace(webhook(ports), message_id="offer:8"))
    assert read_received(tmp_path) == []


def test_a_mail_is_kept_under_its_firm_and_its_repeat_is_marked(tmp_path: Path, inbox: Inbox) -> None:
    assert inbox.thread.is_alive()
    mail = Message(
        channel="email",
        message_id="offer:9",
        order_number="HQ9",
        address="f002@firms.example",
        created_at=AT,
        sent_at=datetime.now(UTC),
        subject="请接单:订单 HQ9",
        text=f"订单 HQ9 请您接单\n打开链接:{LINK}",
    )
    send(mail)
    send(mail)
    first, second = read_received(tmp_path, "F002")
    assert (first.channel, first.order_number, first.text, first.link) == ("email", "HQ9", mail.text, LINK)
    assert (first.repeat, second.repeat) == (False, True)


def test_the_log_is_read_by_firm_from_a_line_on_and_the_newest_first_to_fit(
    tmp_path: Path, inbox: Inbox, ports: dict[str, int]
) -> None:
    assert inbox.thread.is_alive()
    for code in ("F001", "F003", "F001"):
        send(webhook(ports, code))
    assert [one.number for one in read_received(tmp_path, "F001")] == [1, 3]
    assert [one.number for one in read_received(tmp_path, after=1)] == [2, 3]
    assert [one.number for one in read_received(tmp_path, limit=2)] == [2, 3]


def test_a_line_that_a_crash_cut_short_is_left_out_and_harms_no_later_line(tmp_path: Path) -> None:
    path = log_path(tmp_path)
    path.parent.mkdir()
    path.write_text('{"at": "2026-11-2', encoding="utf-8")
    assert read_received(tmp_path) == []
    Log.of(tmp_path)
    assert path.read_text(encoding="utf-8").endswith("\n")


def test_without_a_log_nothing_was_received(tmp_path: Path) -> None:
    assert read_received(tmp_path) == []


def test_the_ports_of_a_home_stay_until_another_program_takes_one(tmp_path: Path) -> None:
    first, are_new = choose_ports(tmp_path)
    assert are_new
    assert choose_ports(tmp_path) == (first, False)
    with socket.socket() as other:
        other.bind(("127.0.0.1", first["http"]))
        other.listen()
        second, are_new = choose_ports(tmp_path)
    assert are_new
    assert second["http"] != first["http"]


@contextmanager
def inbox_process(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`dispatch inbox` of a home, once it receives; killed in the end."""
    environment = {**os.environ, "DISPATCH_HOME": str(home), "DISPATCH_SECRET": SECRET, "DISPATCH_DEMO": "1"}
    said = home / "said"
    command = [sys.executable, "-m", "dispatch.cli", "inbox"]
    with (
        said.open("wb") as output,
        subprocess.Popen(command, env=environment, stdout=output, stderr=output) as process,
    ):
        try:
            wait_until(lambda: b"received.jsonl" in said.read_bytes(), process, "inbox", 30, said)
            yield process
        finally:
            process.kill()


def test_an_inbox_that_was_killed_still_knows_what_it_had_received(tmp_path: Path, ports: dict[str, int]) -> None:
    with inbox_process(tmp_path):
        assert send(webhook(ports)) == "200"
    with inbox_process(tmp_path) as process:
        assert send(webhook(ports)) == "409"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert [one.repeat for one in read_received(tmp_path)] == [False, True]
