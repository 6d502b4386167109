"""The outside of a frame: line feed, checksum, length, who sends it under which number, carriage return.

    <LF> crc 0LLL "id" seq Rrcvr Lpref #acct [ body <CR>

Source: ANSI/SIA DC-09 (2007 to 2021), Internet Protocol Event Reporting, 5.5.1.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dispatch.errors import DispatchError

LONGEST_BYTES: Final = 2_048
"""Of a frame between line feed and carriage return. The standard ends at 4,095; an event under AES needs some 500."""

LINE_FEED: Final = 0x0A
CARRIAGE_RETURN: Final = 0x0D
LARGEST_SEQUENCE: Final = 9_999
NOBODY: Final = "A0"
"""What stands in the place of the account in a NAK."""

_POLYNOMIAL: Final = 0xA001
_PREFIX: Final = 8
_OUTSIDE: Final = re.compile(
    rb'"(?P<encrypted>\*?)(?P<token>[A-Z0-9-]{1,12})"(?P<sequence>[0-9]{4})'
    rb"(?:R(?P<receiver>[0-9A-F]{1,6}))?(?:L(?P<line>[0-9A-F]{1,6}))?"
    rb"(?:#(?P<account>[0-9A-F]{3,16})|A0)\[(?P<body>[^\r\n]*)",
)


class Fault(StrEnum):
    """What is wrong with bytes that should have been a frame."""

    LENGTH = "length"
    CHECKSUM = "checksum"
    SHAPE = "shape"
    KEY = "key"
    STAMP = "stamp"


class BadFrame(DispatchError):
    """报警设备的报文不合 DC-09 标准"""

    def __init__(self, fault: Fault) -> None:
        """Keep what is wrong; never the bytes."""
        super().__init__()
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Envelope:
    """The outside of a frame: whose it is, under which number, and what stands between `[` and the end.

    `receiver` and `line` are the hexadecimal digits behind R and L, None where the sender leaves them out: what is
    left out is left out of the answer too. `body` is plain text, or hexadecimal digits when `encrypted`.
    """

    token: str
    sequence: int
    account: str
    receiver: str | None = None
    line: str | None = "0"
    encrypted: bool = False
    body: bytes = b"]"

    def header(self) -> bytes:
        """What stands before the `[`."""
        star = "*" if self.encrypted else ""
        receiver = "" if self.receiver is None else f"R{self.receiver}"
        line = "" if self.line is None else f"L{self.line}"
        account = NOBODY if self.account == NOBODY else f"#{self.account}"
        return f'"{star}{self.token}"{self.sequence:04d}{receiver}{line}{account}'.encode("ascii")


def _remainder(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_REMAINDERS: Final = tuple(_remainder(byte) for byte in range(256))


def checksum(text: bytes) -> int:
    """The CRC of the bytes from the first quote to the last before the carriage return.

    CRC-16/ARC (“CRC-16 IBM”): x¹⁶ + x¹⁵ + x² + 1, reflected, begun with 0. Source: DC-09 5.5.1.2, DC-07 annex.
    """
    crc = 0
    for byte in text:
        crc = crc >> 8 ^ _REMAINDERS[(crc ^ byte) & 0xFF]
    return crc


def read(line: bytes) -> Envelope:
    """The envelope of a frame without its line feed and carriage return; raises BadFrame saying what is wrong.

    Digits of checksum and length are upper case, as the standard has them, so that no changed byte goes unseen.
    """
    text = line[_PREFIX:]
    if len(line) > LONGEST_BYTES + _PREFIX or line[4:_PREFIX] != b"%04X" % len(text):
        raise BadFrame(Fault.LENGTH)
    if line[:4] != b"%04X" % checksum(text):
        raise BadFrame(Fault.CHECKSUM)
    found = _OUTSIDE.fullmatch(text)
    if found is None:
        raise BadFrame(Fault.SHAPE)
    part = {name: value if value is None else value.decode("latin-1") for name, value in found.groupdict().items()}
    return Envelope(
        token=part["token"],
        sequence=int(part["sequence"]),
        account=part["account"] or NOBODY,
        receiver=part["receiver"],
        line=part["line"],
        encrypted=bool(part["encrypted"]),
        body=found["body"],
    )


def write(envelope: Envelope) -> bytes:
    """The whole frame, from line feed to carriage return."""
    text = b"%b[%b" % (envelope.header(), envelope.body)
    return b"\n%04X%04X%b\r" % (checksum(text), len(text), text)
