"""E-mail against a real SMTP server: Chinese intact, the same bytes again, each failure by its name."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from config.settings import get_settings
from dispatch.errors import Unavailable
from dispatch.gateways.messages import Message, Refused, Uncertain, send
from dispatch.gateways.messages.mail import relay_of
from tests.gateways.receivers import Mailbox, mailbox
from tests.processes import free_port

MESSAGE = Message(
    channel="email",
    message_id="offer:7",
    order_number="HQ1",
    address="f002@firms.example",
    created_at=datetime(2026, 11, 23, 2, 5, tzinfo=UTC),
    sent_at=datetime(2026, 11, 23, 2, 6, tzinfo=UTC),
    subject="【后庆派单】请接单:订单 HQ1 管道疏通",
    text="【后庆派单】订单 HQ1 请您接单:管道疏通。\n打开链接:https://here/w/token",
)


def use_relay(url: str) -> None:
    """Point the settings of this process to a mail server."""
    os.environ["DISPATCH_SMTP_URL"] = url
    get_settings.cache_clear()


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as running:
        use_relay(f"smtp://127.0.0.1:{running.port}?from=desk@dispatch.example")
        yield running
    use_relay("")


def test_a_mail_arrives_with_its_chinese_text_its_subject_and_a_lasting_name(box: Mailbox) -> None:
    send(MESSAGE)
    (mail,) = box.mails
    assert (mail["Subject"], mail["To"]) == (MESSAGE.subject, "f002@firms.example")
    assert mail.get_content().splitlines() == MESSAGE.text.splitlines()
    assert mail["Message-ID"] == "<offer.7@dispatch.example>"
    assert (mail["X-Dispatch-Message"], mail["X-Dispatch-Order"]) == ("offer:7", "HQ1")


def test_the_same_message_has_the_same_bytes_again(box: Mailbox) -> None:
    send(MESSAGE)
    send(MESSAGE)
    assert len(set(box.raw)) == 1


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "a@b@c", "a@b.example\nBcc: all@x", "a@b.example,c@d.example", "名字@b.example", "<a@b.example>"],
)
def test_an_address_that_is_none_is_refused_and_nothing_leaves(box: Mailbox, address: str) -> None:
    with pytest.raises(Refused):
        send(replace(MESSAGE, address=address))
    assert box.mails == []


def test_a_line_break_in_a_header_is_refused(box: Mailbox) -> None:
    with pytest.raises(Refused):
        send(replace(MESSAGE, subject="订单\r\nBcc: all@x.example"))
    assert box.mails == []


def test_a_receiver_that_does_not_exist_is_refused_for_good(box: Mailbox) -> None:
    box.to_receiver = "550 nobody here"
    with pytest.raises(Refused):
        send(MESSAGE)


@pytest.mark.parametrize(("receiver", "text"), [("451 later", "250 taken"), ("250 OK", "452 full")])
def test_a_server_that_says_later_has_certainly_not_taken_it(box: Mailbox, receiver: str, text: str) -> None:
    box.to_receiver, box.to_text = receiver, text
    with pytest.raises(Unavailable) as raised:
        send(MESSAGE)
    assert raised.type is Unavailable


def test_a_text_that_is_refused_is_refused_for_good(box: Mailbox) -> None:
    box.to_text = "554 no"
    with pytest.raises(Refused):
        send(MESSAGE)


def test_a_server_that_hangs_up_after_the_text_leaves_it_uncertain(box: Mailbox) -> None:
    box.hangs_up = True
    with pytest.raises(Uncertain):
        send(MESSAGE)
    assert len(box.mails) == 1


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:25", "smtp://"])
def test_without_a_usable_mail_server_nothing_was_delivered(url: str) -> None:
    with pytest.raises(Unavailable) as raised:
        relay_of(url)
    assert raised.type is Unavailable


def test_a_dead_mail_server_means_certainly_not_delivered() -> None:
    use_relay(f"smtp://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable) as raised:
        send(MESSAGE)
    use_relay("")
    assert raised.type is Unavailable


def test_a_mail_server_elsewhere_must_speak_tls_unless_told_otherwise() -> None:
    elsewhere = relay_of("smtp://desk:s%40crab@mail.example:587?from=desk@dispatch.example")
    assert elsewhere.start_tls
    assert (elsewhere.user, elsewhere.password) == ("desk", "s@crab")
    assert "crab" not in repr(elsewhere)
    assert not relay_of("smtp://mail.example?tls=none").start_tls
    assert relay_of("smtps://mail.example").implicit_tls
