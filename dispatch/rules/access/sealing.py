"""Sealed fields: authenticated encryption bound to its place, blind indexes and keyed digests.

Form of a sealed value: number of the cipher (1 AES-256-GCM, 2 SM4-GCM) | length of the key id | key id | nonce
(12 bytes) | ciphertext and tag. The associated data is the cipher, the key id and the place (`table.column.row`),
so a value moved to another row, column or table does not open (promise.md, security 14).
"""

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag

from dispatch.errors import DispatchError
from dispatch.rules.access.ciphers import TAG_BYTES, Cipher, Digest, decrypt, encrypt, mac, stretch

NONCE_BYTES = 12
DERIVED_BYTES = 32
LONGEST_KEY_ID = 255


class CannotOpen(DispatchError):
    """加密内容无法打开"""


class NoFieldKey(DispatchError):
    """没有配置加密密钥"""


class Undeclared(DispatchError):
    """加密字段没有登记,不能保存"""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id, 32 bytes each: the first seals, every one opens. `cipher` seals; what another sealed opens too."""

    keys: tuple[tuple[str, bytes], ...] = field(repr=False)
    cipher: Cipher = Cipher.AES_256_GCM

    def current(self) -> tuple[str, bytes]:
        """The id and secret that seal; raises NoFieldKey on an empty ring."""
        if not self.keys:
            raise NoFieldKey
        return self.keys[0]

    def secret(self, key_id: str) -> bytes:
        """The secret of an id; raises CannotOpen when the ring has it no more."""
        secret = dict(self.keys).get(key_id)
        if secret is None:
            raise CannotOpen
        return secret


def seal(ring: KeyRing, place: str, content: bytes, nonce: bytes) -> bytes:
    """Seal bytes for one place with the current key; `nonce` is 12 random bytes, used once."""
    if len(nonce) != NONCE_BYTES:
        raise ValueError("a nonce has 12 bytes")
    _, secret = ring.current()
    beginning = header(ring)
    return beginning + nonce + encrypt(ring.cipher, secret, nonce, content, beginning + place.encode())


def open_sealed(ring: KeyRing, place: str, sealed: bytes) -> bytes:
    """The bytes sealed for this place; raises CannotOpen for another place, key or a changed byte."""
    cipher, key_id, body = split(sealed)
    beginning = sealed[: len(sealed) - len(body)]
    nonce, ciphertext = body[:NONCE_BYTES], body[NONCE_BYTES:]
    try:
        return decrypt(cipher, ring.secret(key_id), nonce, ciphertext, beginning + place.encode())
    except InvalidTag as error:
        raise CannotOpen from error


def header(ring: KeyRing) -> bytes:
    """How every value begins that is sealed today; one that begins otherwise is to be sealed anew."""
    name = ring.current()[0].encode()
    if len(name) > LONGEST_KEY_ID:
        raise ValueError("a key id has at most 255 bytes")
    return bytes((ring.cipher, len(name))) + name


def name_of_key(beginning: bytes) -> str | None:
    """The id of the key and the cipher (`k1/aes-256-gcm`) of a value's header, None for bytes that are none."""
    try:
        cipher, key_id, _ = split(beginning + bytes(NONCE_BYTES + TAG_BYTES))
    except CannotOpen:
        return None
    return f"{key_id}/{cipher.label}"


def split(sealed: bytes) -> tuple[Cipher, str, bytes]:
    """Cipher, key id and the rest (nonce, ciphertext, tag); raises CannotOpen for what is no sealed value."""
    if len(sealed) < 2 or sealed[0] not in set(Cipher):  # noqa: PLR2004 - cipher and length of the key id
        raise CannotOpen
    end = 2 + sealed[1]
    if len(sealed) < end + NONCE_BYTES + TAG_BYTES:
        raise CannotOpen
    try:
        return Cipher(sealed[0]), sealed[2:end].decode(), sealed[end:]
    except UnicodeDecodeError as error:
        raise CannotOpen from error


def derive(secret: str, purpose: str, digest: Digest = Digest.SHA256) -> bytes:
    """A key of 32 bytes for one purpose out of the installation's secret (HKDF, RFC 5869)."""
    if not secret:
        raise NoFieldKey
    return stretch(digest, secret.encode(), f"houqing-dispatch/1/{purpose}".encode(), DERIVED_BYTES)


def keyed_digest(key: bytes, text: str, digest: Digest = Digest.SHA256) -> bytes:
    """The HMAC of a text: equal texts are found again, a text cannot be guessed without the key."""
    return mac(digest, key, text.encode())
