"""The ciphers and digests give what the standards print, and SM3's HMAC what its definition says."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher as CipherOf
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SM3, Hash
from hypothesis import assume, given
from hypothesis import strategies as st

from dispatch.rules.access.ciphers import (
    Cipher,
    Digest,
    decrypt,
    encrypt,
    mac,
    sm4_gcm_decrypt,
    sm4_gcm_encrypt,
    sm4_key,
    stretch,
)

SM4_KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")
RFC_8998 = {
    "nonce": "00001234567800000000abcd",
    "associated": "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    "plain": "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccddddddddddddddddeeeeeeeeeeeeeeeeffffffffffffffff"
    "eeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
    "sealed": "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15"
    "a56834cbcf98c397b4024a2691233b8d"
    "83de3541e4c2b58177e065a9bf7b62ec",
}
VECTOR = {name: bytes.fromhex(digits) for name, digits in RFC_8998.items()}
CIPHERS = st.sampled_from(Cipher)
KEYS = st.binary(min_size=32, max_size=32)
NONCES = st.binary(min_size=12, max_size=12)
BLOCK_BYTES = 64


def sm3(content: bytes) -> bytes:
    """The plain digest."""
    made = Hash(SM3())
    made.update(content)
    return made.finalize()


def test_sm4_enciphers_the_block_of_its_standard() -> None:
    """GB/T 32907-2016, example 1: the key is the block."""
    encryptor = CipherOf(SM4(SM4_KEY), ECB()).encryptor()  # noqa: S305 - one block, as the standard prints it
    assert encryptor.update(SM4_KEY).hex() == "681edf34d206965e86b3e94f536e4246"


def test_sm4_in_gcm_is_that_of_rfc_8998() -> None:
    """RFC 8998, appendix A.1."""
    sealed = sm4_gcm_encrypt(SM4_KEY, VECTOR["nonce"], VECTOR["plain"], VECTOR["associated"])
    assert sealed == VECTOR["sealed"]
    assert sm4_gcm_decrypt(SM4_KEY, VECTOR["nonce"], sealed, VECTOR["associated"]) == VECTOR["plain"]


def test_sm3_is_that_of_its_standard() -> None:
    """GB/T 32905-2016, appendix A.1 and A.2."""
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def test_hmac_sha256_is_that_of_rfc_4231() -> None:
    """RFC 4231, test case 2."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert mac(Digest.SHA256, b"Jefe", b"what do ya want for nothing?").hex() == expected


@given(st.binary(max_size=150), st.binary(max_size=300))
def test_hmac_with_sm3_is_what_rfc_2104_says_of_any_digest(key: bytes, content: bytes) -> None:
    block = (sm3(key) if len(key) > BLOCK_BYTES else key).ljust(BLOCK_BYTES, b"\x00")
    inner = sm3(bytes(one ^ 0x36 for one in block) + content)
    assert mac(Digest.SM3, key, content) == sm3(bytes(one ^ 0x5C for one in block) + inner)


@given(CIPHERS, KEYS, NONCES, st.binary(max_size=300), st.binary(max_size=50))
def test_each_cipher_opens_what_it_sealed(
    cipher: Cipher, key: bytes, nonce: bytes, content: bytes, associated: bytes
) -> None:
    sealed = encrypt(cipher, key, nonce, content, associated)
    assert len(sealed) == len(content) + 16
    assert decrypt(cipher, key, nonce, sealed, associated) == content


@given(CIPHERS, KEYS, NONCES, st.binary(max_size=40), st.data())
def test_each_cipher_finds_one_changed_bit(
    cipher: Cipher, key: bytes, nonce: bytes, content: bytes, data: st.DataObject
) -> None:
    sealed = bytearray(encrypt(cipher, key, nonce, content, b"place"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(InvalidTag):
        decrypt(cipher, key, nonce, bytes(sealed), b"place")


@given(CIPHERS, KEYS, NONCES, st.binary(max_size=20), st.binary(max_size=20))
def test_each_cipher_is_bound_to_what_is_associated(
    cipher: Cipher, key: bytes, nonce: bytes, here: bytes, there: bytes
) -> None:
    assume(here != there)
    with pytest.raises(InvalidTag):
        decrypt(cipher, key, nonce, encrypt(cipher, key, nonce, b"17400000000", here), there)


@given(KEYS, KEYS)
def test_sm4_never_has_the_bytes_that_aes_has(one: bytes, other: bytes) -> None:
    assume(one != other)
    assert len(sm4_key(one)) == 16
    assert sm4_key(one) not in {one[:16], one[16:], sm4_key(other)}


@given(st.binary(min_size=1, max_size=60), st.binary(max_size=30))
def test_the_digests_give_unlike_keys_of_the_length_that_is_asked(secret: bytes, purpose: bytes) -> None:
    made = {stretch(digest, secret, purpose, 32) for digest in Digest}
    assert [len(one) for one in made] == [32, 32]
