"""What a receiver answers: ACK when it is kept, NAK when the clock is wrong, DUH when nothing can be done with it.

Source: ANSI/SIA DC-09 5.5.2. What a sender leaves out (receiver number, line) is left out of the answer as well:
an answer in which such a number is there by another word is refused by devices that were seen.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from dispatch.gateways.dc09.content import Content, seal
from dispatch.gateways.dc09.frame import NOBODY, Envelope, write

ACK: Final = "ACK"
NAK: Final = "NAK"
DUH: Final = "DUH"


def acknowledge(envelope: Envelope, *, now: datetime, key: bytes | None = None) -> bytes:
    """ACK with the sender's own number and account; encrypted, with the time, where the frame was."""
    body = seal(Content(stamped_at=now), key) if envelope.encrypted else seal(Content())
    return write(replace(envelope, token=ACK, body=body))


def refuse(*, now: datetime) -> bytes:
    """NAK: it names nobody, is never encrypted, and gives the time by which the sender sets its clock."""
    body = seal(Content(stamped_at=now))
    return write(Envelope(NAK, sequence=0, account=NOBODY, receiver="0", line="0", body=body))


def cannot(envelope: Envelope) -> bytes:
    """DUH: the frame is whole, but nothing can be done with it (unknown account, format or key); never encrypted."""
    return write(replace(envelope, token=DUH, encrypted=False, body=seal(Content())))
