"""The inside of a frame: data, extended data and time stamp, plain or under AES.

    data ] [extended] [extended] _HH:MM:SS,MM-DD-YYYY          encrypted: hex(AES-CBC(padding | data ] …))

Source: ANSI/SIA DC-09 5.4 (encryption), 5.5.1.7 to 5.5.1.9.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from dispatch.gateways.dc09.frame import BadFrame, Fault

KEY_BYTES: Final = frozenset({16, 24, 32})
BLOCK: Final = 16
STAMP: Final = "%H:%M:%S,%m-%d-%Y"

_START: Final = CBC(bytes(BLOCK))
"""The standard's initialisation vector is zero: what makes two like frames differ is the random padding before them."""

_PADDING: Final = bytes(byte for byte in range(256) if byte not in b"[]|")
_INSIDE: Final = re.compile(
    rb"(?P<data>[^\[\]]*)\](?P<extended>(?:\[[^\[\]]*\])*)"
    rb"(?:_(?P<stamp>[0-9]{2}:[0-9]{2}:[0-9]{2},[0-9]{2}-[0-9]{2}-[0-9]{4}))?"
)


@dataclass(frozen=True, slots=True)
class Content:
    """What a frame says: the data without brackets, each extended field without brackets, the time of sending (UTC).

    Bytes that are not UTF-8 are kept as lone surrogates, so that nothing is lost between reading and writing.
    """

    data: str = ""
    extended: tuple[str, ...] = ()
    stamped_at: datetime | None = None


def seal(content: Content, key: bytes | None = None) -> bytes:
    """What stands behind the `[` of a frame: plain, or under the key (16, 24 or 32 bytes) as hexadecimal digits.

    Under a key the content needs its time: nobody reads it without.
    """
    data = content.data.encode("utf-8", "surrogateescape")
    rest = b"]" + b"".join(b"[%b]" % one.encode("utf-8", "surrogateescape") for one in content.extended)
    if content.stamped_at is not None:
        rest += b"_" + content.stamped_at.astimezone(UTC).strftime(STAMP).encode("ascii")
    if key is None:
        return data + rest
    clear = (b"|" + data if data else b"") + rest
    return _ciphered(_cipher(key).encryptor(), padding(len(clear)) + clear).hex().upper().encode("ascii")


def unseal(body: bytes, *, encrypted: bool, key: bytes | None = None) -> Content:
    """What stands in a body; raises BadFrame: KEY without the right key, SHAPE, STAMP for a moment that is none.

    Under a key there is always a time stamp: without it a frame could be sent again by whoever has heard it.
    """
    inside = _INSIDE.fullmatch(_decrypted(body, key) if encrypted else body)
    if inside is None or (encrypted and inside["stamp"] is None):
        raise BadFrame(Fault.KEY if encrypted else Fault.SHAPE)
    fields = inside["extended"].decode("utf-8", "surrogateescape")
    return Content(
        data=inside["data"].decode("utf-8", "surrogateescape"),
        extended=tuple(fields[1:-1].split("][")) if fields else (),
        stamped_at=_moment(inside["stamp"]),
    )


def padding(length: int) -> bytes:
    """Random bytes that fill `length` bytes to whole blocks: one block of them at least, none of the brackets or |."""
    return bytes(secrets.choice(_PADDING) for _ in range(BLOCK + -length % BLOCK))


def _decrypted(body: bytes, key: bytes | None) -> bytes:
    """What is left behind the padding; a frame without data may leave out the | before its bracket."""
    try:
        sealed = bytes.fromhex(body.decode("ascii"))
    except ValueError as error:
        raise BadFrame(Fault.SHAPE) from error
    if key is None or not sealed or len(sealed) % BLOCK:
        raise BadFrame(Fault.KEY if key is None else Fault.SHAPE)
    clear = _ciphered(_cipher(key).decryptor(), sealed)
    before, bracket, _ = clear.partition(b"]")
    filling, mark, _ = before.partition(b"|")
    return clear[len(filling) + len(mark) :] if bracket else clear


def _cipher(key: bytes) -> Cipher[CBC]:
    return Cipher(AES(key), _START)


def _ciphered(way: CipherContext, content: bytes) -> bytes:
    return way.update(content) + way.finalize()


def _moment(stamp: bytes | None) -> datetime | None:
    if stamp is None:
        return None
    try:
        return datetime.strptime(stamp.decode("ascii"), STAMP).replace(tzinfo=UTC)
    except ValueError as error:
        raise BadFrame(Fault.STAMP) from error
