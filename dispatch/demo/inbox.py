"""The demo's receivers: an HTTP server and a mail server on loopback that play every firm's inbox.

They verify signatures, dedupe webhooks by message id, and keep each arrival, repeats marked, in
HOME/inbox/received.jsonl before they answer: the receivers' own log, which nobody else writes.
"""

import json
import os
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from dispatch.demo.credentials import DemoSecrets
from dispatch.gateways.messages.mail import ORDER_HEADER
from dispatch.gateways.messages.received import arrivals, log_path
from dispatch.rules.notify.signature import MESSAGE_HEADER, SIGNATURE_HEADER, verify
from dispatch.supervisor.inbox import LOOPBACK

MOST_BYTES = 256 * 1024
LINK = re.compile(r"https?://\S+/w/\S+")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a receiver read out of one message."""

    channel: str
    performer_code: str
    message_id: str
    order_number: str
    text: str
    link: str


@dataclass(slots=True)
class Log:
    """The log of all receivers of a home; it knows every message id that it holds, also after a restart."""

    path: Path
    known: set[str] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)

    @classmethod
    def of(cls, home: Path) -> "Log":
        """The log of a home; a line that a crash cut short is ended, so that the next one stands alone."""
        path = log_path(home)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and not path.read_bytes().endswith(b"\n") and path.stat().st_size:
            with path.open("a", encoding="utf-8") as file:
                file.write("\n")
        return cls(path, {one.message_id for one in arrivals(path)})

    def write(self, arrival: Arrival) -> bool:
        """Keep an arrival on the disk; returns whether its message id had come before."""
        with self.lock:
            repeat = arrival.message_id in self.known
            line = {
                "at": datetime.now(UTC).isoformat(),
                "channel": arrival.channel,
                "performer_code": arrival.performer_code,
                "message_id": arrival.message_id,
                "repeat": repeat,
                "order_number": arrival.order_number,
                "text": arrival.text,
                "link": arrival.link,
            }
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
            self.known.add(arrival.message_id)
            return repeat


@dataclass(frozen=True, slots=True)
class Firms:
    """The webhook receivers of all firms: each believes only what is signed with its own secret."""

    log: Log
    secrets: DemoSecrets

    def receive(self, path: str, headers: Any, body: bytes) -> HTTPStatus:
        """Take one webhook: 200 new, 409 known already, 401 not believed, 400 not understood."""
        code = path.partition("?")[0].rpartition("/")[2].upper()
        secret = self.secrets.webhook_secret(code)
        if verify(secret, headers.get(SIGNATURE_HEADER, ""), body, int(time.time())) is not None:
            return HTTPStatus.UNAUTHORIZED
        arrival = read_webhook(code, headers.get(MESSAGE_HEADER, ""), body)
        if arrival is None:
            return HTTPStatus.BAD_REQUEST
        return HTTPStatus.CONFLICT if self.log.write(arrival) else HTTPStatus.OK


def read_webhook(code: str, message_id: str, body: bytes) -> Arrival | None:
    """What a signed webhook says; None when it is not ours."""
    try:
        content = json.loads(body)
    except ValueError:
        return None
    if not isinstance(content, dict) or not message_id or content.get("message_id") != message_id:
        return None
    return Arrival(
        channel="webhook",
        performer_code=code,
        message_id=message_id,
        order_number=str(content.get("order_number", "")),
        text=str(content.get("text", "")),
        link=str(content.get("link", "")),
    )


def read_mail(receiver: str, content: bytes) -> Arrival:
    """What an e-mail says; the firm is the name before the @."""
    mail = message_from_bytes(content, policy=default_policy)
    text = mail.get_content() if isinstance(mail, EmailMessage) else ""
    text = "\n".join(str(text).splitlines())
    link = LINK.search(text)
    return Arrival(
        channel="email",
        performer_code=receiver.partition("@")[0].upper(),
        message_id=str(mail.get(MESSAGE_HEADER, "")),
        order_number=str(mail.get(ORDER_HEADER, "")),
        text=text,
        link=link.group() if link else "",
    )


def handler_of(firms: Firms) -> type[BaseHTTPRequestHandler]:
    """The HTTP side of the receivers."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            """Take one webhook."""
            length = self.headers.get("Content-Length", "")
            if not length.isascii() or not length.isdigit() or int(length) > MOST_BYTES:
                self.answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                return
            self.answer(firms.receive(self.path, self.headers, self.rfile.read(int(length))))

        def answer(self, status: HTTPStatus) -> None:
            """Say the status and nothing more."""
            self.close_connection = True
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing: the log of arrivals is the record."""

    return Handler


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """The mail side of the receivers: no dedupe, as with any mailbox, but repeats are marked."""

    log: Log

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep one mail for each of its receivers."""
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        for receiver in envelope.rcpt_tos:
            self.log.write(read_mail(receiver, raw))
        return "250 taken"


class Inbox:
    """Both receivers of a home, running from entering to leaving."""

    def __init__(self, home: Path, secret: str, ports: dict[str, int]) -> None:
        """Bind both ports; raises OSError for one that is taken."""
        self.log = Log.of(home)
        firms = Firms(self.log, DemoSecrets(secret))
        self.web = ThreadingHTTPServer((LOOPBACK, ports["http"]), handler_of(firms))
        self.web.daemon_threads = True
        self.mail = Controller(Mailboxes(self.log), hostname=LOOPBACK, port=ports["smtp"])
        self.thread = Thread(target=self.web.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    def __enter__(self) -> Self:
        """Start both."""
        self.mail.start()
        self.thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Stop both."""
        self.web.shutdown()
        self.web.server_close()
        self.thread.join()
        self.mail.stop()
