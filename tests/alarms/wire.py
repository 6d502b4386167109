"""A device's side of the wire: frames made by its own hand, sent over TCP or UDP, answers read back."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from dispatch.gateways import dc09
from dispatch.gateways.dc09 import Content, Envelope, Splitter

PRESS = "1101 00 001"
SECONDS = 30.0
"""So long a device waits for an answer here: a test on a busy machine does not fail for being slow."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A device that is simulated: its account, its key, where the receiver is."""

    port: int
    account: str
    key: bytes | None = None

    def frame(self, event: str = "", sequence: int = 0, *, stamped_at: datetime | None = None) -> bytes:
        """A poll, or an event of Contact ID."""
        content = Content(f"#{self.account}|{event}" if event else "", (), stamped_at)
        body = dc09.seal(content, self.key)
        envelope = Envelope("ADM-CID" if event else "NULL", sequence, self.account, encrypted=self.key is not None)
        return dc09.write(replace(envelope, body=body))

    @contextmanager
    def connected(self) -> Iterator[socket.socket]:
        """A TCP connection to the receiver."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS) as connection:
            yield connection

    def send(self, frame: bytes) -> Envelope:
        """Send one frame over a connection of its own; the answer's envelope. Raises OSError when there is none."""
        with self.connected() as connection:
            connection.sendall(frame)
            return answer_from(connection)

    def send_datagram(self, frame: bytes) -> Envelope:
        """Send one frame over UDP, again while no answer comes."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.settimeout(SECONDS / 10)
            for _ in range(10):
                sender.sendto(frame, ("127.0.0.1", self.port))
                try:
                    return dc09.read(Splitter().feed(sender.recv(4096))[0])
                except TimeoutError:
                    continue
        raise TimeoutError


async def answer_to(port: int, frame: bytes) -> str:
    """One connection of many at once: one frame, and the word of its answer. Raises OSError, IncompleteReadError."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(frame)
        await writer.drain()
        return dc09.read(Splitter().feed(await reader.readuntil(b"\r"))[0]).token
    finally:
        writer.close()


def answer_from(connection: socket.socket) -> Envelope:
    """The next answer on a connection; raises ConnectionError when it was closed instead."""
    splitter = Splitter()
    while chunk := connection.recv(4096):
        for line in splitter.feed(chunk):
            return dc09.read(line)
    raise ConnectionError
