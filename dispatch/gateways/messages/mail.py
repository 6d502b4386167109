"""E-mail by SMTP: one receiver, UTF-8, a Message-ID that stays the same when it is sent again."""

import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from urllib.parse import parse_qs, unquote, urlsplit

from config.settings import get_settings
from dispatch.errors import Unavailable
from dispatch.gateways.messages.limit import cut_after
from dispatch.gateways.messages.message import Message, Refused, Uncertain
from dispatch.rules.notify.signature import MESSAGE_HEADER

WHOLE_SECONDS = 8.0
PORT_OF = {"smtp": 25, "smtps": 465}
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,8}", re.ASCII)
ORDER_HEADER = "X-Dispatch-Order"
FIRST_PERMANENT = 500
ACCEPTED = 250


@dataclass(frozen=True, slots=True)
class Relay:
    """The mail server that takes our messages, and the address that they come from."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    implicit_tls: bool
    start_tls: bool
    sender: str


def relay_of(url: str) -> Relay:
    """Read `smtp://user:password@host:port?tls=starttls|none&from=address`, or smtps:// for TLS at once.

    Without `tls` the connection must become encrypted, unless the server is on this machine. Raises
    Unavailable when no usable server is set.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in PORT_OF or not host:
        raise Unavailable
    options = parse_qs(parts.query)
    tls = options.get("tls", ["none" if host in LOOPBACK else "starttls"])[0]
    return Relay(
        host=host,
        port=parts.port or PORT_OF[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        implicit_tls=parts.scheme == "smtps",
        start_tls=parts.scheme == "smtp" and tls != "none",
        sender=options.get("from", [f"dispatch@{host if '.' in host else 'localhost'}"])[0],
    )


def post(message: Message) -> str:
    """Hand a message to the mail server; returns its answer's first word or code.

    Raises Refused (no address, or refused for good), Unavailable (not taken, try again) or Uncertain (the
    connection broke while the text was sent).
    """
    relay = relay_of(get_settings().smtp_url)
    content = written(message, relay.sender)
    try:
        client = connect(relay)
    except (OSError, smtplib.SMTPException) as error:
        raise Unavailable from error
    with cut_after(client.sock, WHOLE_SECONDS):
        try:
            envelope(client, relay, message.address)
            return hand_over(client, content)
        finally:
            with suppress(OSError, smtplib.SMTPException):
                client.quit()


def connect(relay: Relay) -> smtplib.SMTP:
    """A connection to the mail server, greeted."""
    if relay.implicit_tls:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(relay.host, relay.port, timeout=WHOLE_SECONDS, context=context)
    return smtplib.SMTP(relay.host, relay.port, timeout=WHOLE_SECONDS)


def envelope(client: smtplib.SMTP, relay: Relay, receiver: str) -> None:
    """Encrypt, log in and name sender and receiver; raises Refused, Unavailable. Nothing is delivered yet."""
    try:
        if relay.start_tls:
            client.starttls(context=ssl.create_default_context())
        client.ehlo_or_helo_if_needed()
        if relay.user:
            client.login(relay.user, relay.password)
        code, _ = client.mail(relay.sender)
        if code != ACCEPTED:
            raise Unavailable
        code, _ = client.rcpt(receiver)
    except (OSError, smtplib.SMTPException) as error:
        raise Unavailable from error
    if code >= FIRST_PERMANENT:
        raise Refused
    if code >= FIRST_PERMANENT - 100:
        raise Unavailable


def hand_over(client: smtplib.SMTP, content: bytes) -> str:
    """Send the text itself; once it has begun nobody knows whether it arrived until the server says so."""
    try:
        code, answer = client.data(content)
    except smtplib.SMTPDataError as error:
        raise Unavailable from error
    except (OSError, smtplib.SMTPException) as error:
        raise Uncertain from error
    if code == ACCEPTED:
        return answer.decode(errors="replace")[:200] or str(code)
    if code >= FIRST_PERMANENT:
        raise Refused
    raise Unavailable


def written(message: Message, sender: str) -> bytes:
    """The bytes of an e-mail: nothing random in them; raises Refused for an address that is none."""
    if ADDRESS.fullmatch(message.address) is None:
        raise Refused
    mail = EmailMessage(policy=SMTP_POLICY)
    try:
        mail["From"] = sender
        mail["To"] = message.address
        mail["Subject"] = message.subject
        mail["Date"] = message.created_at
        mail["Message-ID"] = message_id(message.message_id, sender)
        mail[MESSAGE_HEADER] = message.message_id
        mail[ORDER_HEADER] = message.order_number
    except ValueError as error:
        raise Refused from error
    mail.set_content(message.text, charset="utf-8", cte="base64")
    return mail.as_bytes()


def message_id(key: str, sender: str) -> str:
    """The Message-ID of a notice, the same each time: its key at the sender's domain."""
    name = re.sub(r"[^A-Za-z0-9.-]", ".", key)
    return f"<{name}@{sender.rpartition('@')[2]}>"
