"""Sealing of fields, blind indexes and signatures with the keys of this installation."""

import hmac
import secrets
from functools import cache

from config.settings import get_settings
from dispatch.rules.access import sealing
from dispatch.rules.access.ciphers import Cipher, Digest, mac
from dispatch.rules.access.sealing import NONCE_BYTES, KeyRing
from dispatch.services.access.sealed import demand_declared


@cache
def key_ring() -> KeyRing:
    """The field keys of this process: the first seals, the others still open old values."""
    settings = get_settings()
    keys = tuple((key.key_id, key.secret) for key in settings.field_keys)
    return KeyRing(keys, next(cipher for cipher in Cipher if cipher.label == settings.cipher))


@cache
def derived_key(purpose: str, digest: Digest) -> bytes:
    """The installation's key for one purpose (32 bytes), derived from its secret."""
    return sealing.derive(get_settings().secret, purpose, digest)


@cache
def chosen_digest() -> Digest:
    """What this installation makes blind indexes, keyed digests and signatures with."""
    return Digest(get_settings().digest)


def seal(place: str, text: str) -> bytes:
    """Seal a text for one place (`table.column.row`); it opens nowhere else. The column is one of sealed.SEALED."""
    return seal_bytes(place, text.encode())


def open_sealed(place: str, sealed: bytes) -> str:
    """The text that was sealed for this place; raises CannotOpen."""
    return open_bytes(place, sealed).decode()


def seal_bytes(place: str, content: bytes) -> bytes:
    """Seal bytes (a file) for one place; raises Undeclared for a column that nobody would seal anew."""
    demand_declared(place)
    return sealing.seal(key_ring(), place, content, secrets.token_bytes(NONCE_BYTES))


def open_bytes(place: str, sealed: bytes) -> bytes:
    """The bytes that were sealed for this place; raises CannotOpen."""
    return sealing.open_sealed(key_ring(), place, sealed)


def blind_index(purpose: str, text: str) -> bytes:
    """32 bytes by which equal texts are found without being readable; purpose: "phone", "identity", …

    The caller normalises the text first. It hangs on DISPATCH_SECRET and DISPATCH_DIGEST: another of either
    needs new indexes.
    """
    return keyed(f"index.{purpose}", text)


def digest(field: str, text: str) -> str:
    """The keyed digest of a value for an audit entry's `fields`, bound to the field's name (hexadecimal)."""
    return keyed("audit.field", f"{field}\x00{text}").hex()


def keyed(purpose: str, text: str) -> bytes:
    """The digest of a text with the key of a purpose."""
    return sealing.keyed_digest(derived_key(purpose, chosen_digest()), text, chosen_digest())


def sign(purpose: str, content: bytes) -> bytes:
    """HMAC of bytes with the key of a purpose."""
    return mac(chosen_digest(), derived_key(purpose, chosen_digest()), content)


def is_signed(purpose: str, content: bytes, signature: bytes) -> bool:
    """Whether `signature` is that of `sign`, compared in constant time."""
    return hmac.compare_digest(sign(purpose, content), signature)


def digest_of_signature(purpose: str, content: bytes, signature: bytes) -> Digest | None:
    """With which digest this installation's secret made a signature, None when with none of them."""
    for one in Digest:
        if hmac.compare_digest(mac(one, derived_key(purpose, one), content), signature):
            return one
    return None
