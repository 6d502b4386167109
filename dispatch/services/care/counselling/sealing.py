"""Keys of people: made here, wrapped by a passphrase that is kept nowhere, or split between two who must both be there.

Nothing of this hangs on DISPATCH_SECRET or the field keys: whoever holds database and settings opens none of it.
What seals for a public key: HPKE (RFC 9180) with X25519, HKDF-SHA256 and AES-256-GCM. What wraps a private key:
AES-256-GCM under argon2id (RFC 9106) of the passphrase. The place (`table.column.row`) is bound into each.
"""

import secrets
from dataclasses import dataclass, field

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dispatch.errors import Conflict, Invalid

FORMAT, HEADER_BYTES = 1, 4
SALT_BYTES, NONCE_BYTES, KEY_BYTES = 16, 12, 32
SHORTEST_PASSPHRASE, LONGEST_PASSPHRASE = 12, 200
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
BOTH_SHARES = b"houqing-dispatch/1/both-shares"


@dataclass(frozen=True, slots=True)
class Cost:
    """What it takes to try one passphrase (argon2id); it stands in the header of what is wrapped."""

    mebibytes: int
    passes: int
    lanes: int

    @property
    def header(self) -> bytes:
        """The first bytes of what is wrapped at this cost."""
        return bytes((FORMAT, self.mebibytes, self.passes, self.lanes))


# RFC 9106, section 4, second recommended option: 64 MiB, 3 passes; one lane, since the machine is shared.
FULL_COST = Cost(mebibytes=64, passes=3, lanes=1)


class WrongPassphrase(Conflict):
    """口令不对，请再试；口令谁也查不到"""


class SealBroken(Conflict):
    """封存的内容被改动过或者坏了，打不开；请告诉管理员查一查"""


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key pair, the private half only for the moment of its making."""

    private: bytes = field(repr=False)
    public: bytes


@dataclass(frozen=True, slots=True)
class Recovery:
    """The second way to a private key: what both shares together open, and the two shares."""

    wrapped: bytes
    shares: tuple[bytes, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewPassphrase:
    """A passphrase that a key is to be wrapped with, and at which cost."""

    words: str = field(repr=False)
    cost: Cost = FULL_COST


def check_passphrase(passphrase: NewPassphrase) -> None:
    """Refuse a passphrase that is short or past all measure; raises Invalid."""
    if not SHORTEST_PASSPHRASE <= len(passphrase.words) <= LONGEST_PASSPHRASE:
        raise Invalid("passphrase", "口令至少12个字，最好是一句自己记得住的话")


def make_key() -> MadeKey:
    """A new X25519 key pair."""
    private = X25519PrivateKey.generate()
    return MadeKey(private.private_bytes_raw(), private.public_key().public_bytes_raw())


def stretched(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    """The key that a passphrase stands for."""
    return hash_secret_raw(
        passphrase.encode(), salt, time_cost=cost.passes, memory_cost=cost.mebibytes * 1024, parallelism=cost.lanes,
        hash_len=KEY_BYTES, type=Type.ID,
    )  # fmt: skip


def wrap(passphrase: NewPassphrase, private: bytes, place: str) -> bytes:
    """A private key under a passphrase; the header says with which cost it was stretched."""
    salt, nonce, header = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES), passphrase.cost.header
    stretch = stretched(passphrase.words, salt, passphrase.cost)
    return header + salt + nonce + AESGCM(stretch).encrypt(nonce, private, header + place.encode())


def cost_of(wrapped: bytes) -> Cost:
    """With which cost a key was wrapped; raises WrongPassphrase where the header is none of ours or asks for more."""
    version, *said = wrapped[:HEADER_BYTES].ljust(HEADER_BYTES, b"\0")
    full = (FULL_COST.mebibytes, FULL_COST.passes, FULL_COST.lanes)
    if version != FORMAT or not all(1 <= one <= most for one, most in zip(said, full, strict=True)):
        raise WrongPassphrase
    return Cost(*said)


def unwrap(passphrase: str, wrapped: bytes, place: str) -> bytes:
    """The private key; raises WrongPassphrase, also for a key that was moved or changed."""
    cost = cost_of(wrapped)
    if len(passphrase) > LONGEST_PASSPHRASE:
        raise WrongPassphrase
    rest = wrapped[HEADER_BYTES:]
    salt, nonce, sealed = rest[:SALT_BYTES], rest[SALT_BYTES:][:NONCE_BYTES], rest[SALT_BYTES + NONCE_BYTES :]
    try:
        return AESGCM(stretched(passphrase, salt, cost)).decrypt(nonce, sealed, cost.header + place.encode())
    except (InvalidTag, ValueError) as error:
        raise WrongPassphrase from error


def seal_for(public: bytes, place: str, content: bytes) -> bytes:
    """Bytes that only the private half of a public key opens, at this place."""
    return SUITE.encrypt(content, X25519PublicKey.from_public_bytes(public), place.encode())


def open_with(private: bytes, place: str, sealed: bytes) -> bytes:
    """What was sealed for the public half, at this place; raises SealBroken."""
    try:
        return SUITE.decrypt(sealed, X25519PrivateKey.from_private_bytes(private), place.encode())
    except (InvalidTag, ValueError) as error:
        raise SealBroken from error


def split(private: bytes, place: str) -> Recovery:
    """A second way to a private key that needs two shares: either of them alone is noise."""
    shares = (secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES))
    nonce = secrets.token_bytes(NONCE_BYTES)
    return Recovery(nonce + AESGCM(joined(shares)).encrypt(nonce, private, place.encode()), shares)


def join(shares: tuple[bytes, bytes], wrapped: bytes, place: str) -> bytes:
    """The private key by both shares, in their order; raises SealBroken."""
    try:
        return AESGCM(joined(shares)).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], place.encode())
    except (InvalidTag, ValueError) as error:
        raise SealBroken from error


def joined(shares: tuple[bytes, bytes]) -> bytes:
    """The key that two shares make together (HKDF, RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=BOTH_SHARES).derive(b"".join(shares))
