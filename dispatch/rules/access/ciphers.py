"""The ciphers and digests that an installation may choose between: AES and SHA-256, or SM4 and SM3.

SM4: GB/T 32907-2016; SM4 in GCM: RFC 8998; SM3: GB/T 32905-2016; GCM: NIST SP 800-38D; HMAC: RFC 2104;
HKDF: RFC 5869.
"""

import hmac
from enum import IntEnum, StrEnum

from cryptography.hazmat.primitives.ciphers import Cipher as CipherOf
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hashes import SHA256, SM3
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SM4_KEY_BYTES = 16
TAG_BYTES = 16
SM4_PURPOSE = b"houqing-dispatch/1/sm4-gcm"


class Cipher(IntEnum):
    """What seals a value; its number is the value's first byte, so that every cipher opens its own."""

    AES_256_GCM = 1
    SM4_GCM = 2

    @property
    def label(self) -> str:
        """As the setting spells it."""
        return self.name.lower().replace("_", "-")


class Digest(StrEnum):
    """What blind indexes, keyed digests and signatures of the house are made with."""

    SHA256 = "sha256"
    SM3 = "sm3"


def encrypt(cipher: Cipher, secret: bytes, nonce: bytes, content: bytes, associated: bytes) -> bytes:
    """Ciphertext and tag of bytes under a field key of 32 bytes."""
    if cipher is Cipher.AES_256_GCM:
        return AESGCM(secret).encrypt(nonce, content, associated)
    return sm4_gcm_encrypt(sm4_key(secret), nonce, content, associated)


def decrypt(cipher: Cipher, secret: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
    """The bytes of a ciphertext with its tag; raises InvalidTag."""
    if cipher is Cipher.AES_256_GCM:
        return AESGCM(secret).decrypt(nonce, sealed, associated)
    return sm4_gcm_decrypt(sm4_key(secret), nonce, sealed, associated)


def sm4_key(secret: bytes) -> bytes:
    """The SM4 key of a field key (HKDF-SM3): never the bytes that AES uses."""
    return HKDF(algorithm=SM3(), length=SM4_KEY_BYTES, salt=None, info=SM4_PURPOSE).derive(secret)


def sm4_gcm_encrypt(key: bytes, nonce: bytes, content: bytes, associated: bytes) -> bytes:
    """AEAD_SM4_GCM of RFC 8998: ciphertext, then the tag of 16 bytes."""
    encryptor = CipherOf(SM4(key), GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(associated)
    return encryptor.update(content) + encryptor.finalize() + encryptor.tag


def sm4_gcm_decrypt(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
    """The other way; raises InvalidTag, and gives out nothing before the tag has been checked."""
    decryptor = CipherOf(SM4(key), GCM(nonce, sealed[-TAG_BYTES:])).decryptor()
    decryptor.authenticate_additional_data(associated)
    return decryptor.update(sealed[:-TAG_BYTES]) + decryptor.finalize()


def mac(digest: Digest, key: bytes, content: bytes) -> bytes:
    """The HMAC of bytes, 32 bytes long with either digest."""
    if digest is Digest.SHA256:
        return hmac.digest(key, content, "sha256")
    made = HMAC(key, SM3())
    made.update(content)
    return made.finalize()


def stretch(digest: Digest, secret: bytes, purpose: bytes, length: int) -> bytes:
    """HKDF: a key for one purpose."""
    algorithm = SHA256() if digest is Digest.SHA256 else SM3()
    return HKDF(algorithm=algorithm, length=length, salt=None, info=purpose).derive(secret)
