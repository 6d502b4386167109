"""Sealed fields open only where they were sealed, with any key of the ring, never after a changed byte."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dispatch.rules.access.ciphers import Cipher, Digest
from dispatch.rules.access.sealing import (
    NONCE_BYTES,
    CannotOpen,
    KeyRing,
    NoFieldKey,
    derive,
    header,
    keyed_digest,
    name_of_key,
    open_sealed,
    seal,
)

OLD = ("k1", bytes(range(32)))
NEW = ("k2", bytes(range(32, 64)))
RING = KeyRing((OLD,))
RINGS = st.sampled_from([RING, KeyRing((OLD,), Cipher.SM4_GCM)])
PLACES = st.from_regex(r"[a-z]{1,8}\.[a-z]{1,8}\.[0-9]{1,6}", fullmatch=True)
NONCES = st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES)


@given(RINGS, PLACES, st.binary(max_size=200), NONCES)
def test_what_was_sealed_for_a_place_opens_there(ring: KeyRing, place: str, content: bytes, nonce: bytes) -> None:
    assert open_sealed(ring, place, seal(ring, place, content, nonce)) == content


@given(RINGS, PLACES, PLACES, NONCES)
def test_a_value_swapped_to_another_row_or_column_does_not_open(
    ring: KeyRing, here: str, there: str, nonce: bytes
) -> None:
    assume(here != there)
    with pytest.raises(CannotOpen):
        open_sealed(ring, there, seal(ring, here, b"17400000000", nonce))


@given(st.permutations(list(Cipher)), PLACES, st.binary(max_size=50), NONCES)
def test_whichever_cipher_seals_today_what_the_other_sealed_opens_and_is_known_as_old(
    ciphers: list[Cipher], place: str, content: bytes, nonce: bytes
) -> None:
    today, before = (KeyRing((OLD,), cipher) for cipher in ciphers)
    sealed = seal(before, place, content, nonce)
    assert open_sealed(today, place, sealed) == content
    assert not sealed.startswith(header(today))
    assert sealed != seal(today, place, content, nonce)


@given(PLACES, NONCES)
def test_a_value_that_claims_another_cipher_does_not_open(place: str, nonce: bytes) -> None:
    sealed = seal(RING, place, b"17400000000", nonce)
    with pytest.raises(CannotOpen):
        open_sealed(RING, place, bytes([Cipher.SM4_GCM]) + sealed[1:])


@given(RINGS, st.data(), st.integers(1, 255))
def test_one_changed_byte_is_found_wherever_it_is(ring: KeyRing, data: st.DataObject, change: int) -> None:
    sealed = bytearray(seal(ring, "orders.caller_phone.7", b"17400000000", bytes(NONCE_BYTES)))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= change
    with pytest.raises(CannotOpen):
        open_sealed(ring, "orders.caller_phone.7", bytes(sealed))


@given(st.binary(max_size=60))
def test_bytes_that_were_never_sealed_are_refused_and_raise_nothing_else(junk: bytes) -> None:
    with pytest.raises(CannotOpen):
        open_sealed(RING, "orders.caller_phone.7", junk)


@given(PLACES, st.binary(max_size=50), NONCES)
def test_after_a_rotation_old_values_still_open_and_are_known_as_old(place: str, content: bytes, nonce: bytes) -> None:
    rotated = KeyRing((NEW, OLD))
    before, after = seal(RING, place, content, nonce), seal(rotated, place, content, nonce)
    assert open_sealed(rotated, place, before) == open_sealed(rotated, place, after) == content
    assert not before.startswith(header(rotated))
    assert after.startswith(header(rotated))


@given(st.text(min_size=1, max_size=80).filter(lambda name: name.isprintable()), st.sampled_from(Cipher))
def test_a_header_tells_the_id_of_its_key_and_the_cipher(key_id: str, cipher: Cipher) -> None:
    assert name_of_key(header(KeyRing(((key_id, OLD[1]),), cipher))) == f"{key_id}/{cipher.label}"


@given(st.binary(max_size=40))
def test_bytes_that_are_no_header_name_no_key(junk: bytes) -> None:
    name = name_of_key(junk)
    assert name is None or junk[2:].startswith(name.rpartition("/")[0].encode())


def test_a_key_id_that_fits_no_header_seals_nothing() -> None:
    with pytest.raises(ValueError, match="255"):
        header(KeyRing((("k" * 256, OLD[1]),)))


def test_a_key_that_left_the_ring_opens_nothing_any_more() -> None:
    sealed = seal(RING, "users.phone.1", b"x", bytes(NONCE_BYTES))
    with pytest.raises(CannotOpen):
        open_sealed(KeyRing((NEW,)), "users.phone.1", sealed)


def test_another_secret_under_the_same_id_opens_nothing() -> None:
    sealed = seal(RING, "users.phone.1", b"x", bytes(NONCE_BYTES))
    with pytest.raises(CannotOpen):
        open_sealed(KeyRing((("k1", NEW[1]),)), "users.phone.1", sealed)


def test_an_empty_ring_seals_nothing() -> None:
    with pytest.raises(NoFieldKey):
        seal(KeyRing(()), "users.phone.1", b"x", bytes(NONCE_BYTES))


def test_a_nonce_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="12"):
        seal(RING, "users.phone.1", b"x", bytes(8))


def test_a_key_ring_shows_no_secret() -> None:
    assert OLD[1].hex() not in repr(RING)
    assert repr(OLD[1]) not in repr(RING)


@given(st.text(min_size=1), st.text(), st.text())
def test_each_purpose_has_a_key_of_its_own(secret: str, one: str, other: str) -> None:
    assume(one != other)
    assume(all(ord(char) < 0xD800 or ord(char) > 0xDFFF for char in secret + one + other))
    assert len(derive(secret, one)) == 32
    assert derive(secret, one) != derive(secret, other)
    assert derive(secret, one) == derive(secret, one)


def test_no_key_is_derived_from_no_secret() -> None:
    with pytest.raises(NoFieldKey):
        derive("", "index.phone")


def test_a_keyed_digest_finds_equal_texts_and_hangs_on_the_key() -> None:
    assert keyed_digest(OLD[1], "17400000000") == keyed_digest(OLD[1], "17400000000")
    assert keyed_digest(OLD[1], "17400000000") != keyed_digest(NEW[1], "17400000000")


def test_another_digest_finds_nothing_that_the_first_has_indexed() -> None:
    found = {keyed_digest(derive("secret", "index.phone", one), "17400000000", one) for one in Digest}
    assert [len(one) for one in found] == [32, 32]
