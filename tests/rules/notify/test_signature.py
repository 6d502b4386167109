"""The signature of webhooks: what we sign is believed, anything else is not."""

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.notify.signature import SignatureFault, sign, verify

NOW = 1_795_400_000
SECRETS = st.text(min_size=1, max_size=80).filter(lambda text: text.isprintable())
TIMES = st.integers(min_value=1_000, max_value=10**12)


def test_the_header_is_the_documented_hmac_over_time_and_body() -> None:
    expected = hmac.new(b"secret", b'1795400000.{"a":1}', hashlib.sha256).hexdigest()
    assert sign("secret", NOW, b'{"a":1}') == f"t=1795400000,v1={expected}"


def test_a_message_of_five_minutes_ago_is_believed_and_an_older_or_a_future_one_is_not() -> None:
    header = sign("secret", NOW, b"x")
    assert verify("secret", header, b"x", NOW + 300) is None
    assert verify("secret", header, b"x", NOW + 301) is SignatureFault.STALE
    assert verify("secret", header, b"x", NOW - 300) is None
    assert verify("secret", header, b"x", NOW - 301) is SignatureFault.STALE


def test_an_old_message_with_a_wrong_signature_is_called_wrong_not_old() -> None:
    assert verify("other", sign("secret", NOW, b"x"), b"x", NOW + 9_999) is SignatureFault.WRONG


def test_while_a_secret_changes_a_header_may_carry_both_signatures() -> None:
    old, new = sign("old", NOW, b"x"), sign("new", NOW, b"x")
    both = f"{old},{new.split(',')[1]}"
    assert verify("old", both, b"x", NOW) is None
    assert verify("new", both, b"x", NOW) is None


def test_an_empty_secret_believes_nobody() -> None:
    assert verify("", sign("", NOW, b"x"), b"x", NOW) is SignatureFault.WRONG


@given(SECRETS, TIMES, st.binary(max_size=300))
def test_what_is_signed_is_believed(secret: str, timestamp: int, body: bytes) -> None:
    assert verify(secret, sign(secret, timestamp, body), body, timestamp) is None


@given(SECRETS, TIMES, st.binary(max_size=300), st.binary(max_size=300))
def test_another_body_is_not_believed(secret: str, timestamp: int, body: bytes, other: bytes) -> None:
    fault = verify(secret, sign(secret, timestamp, body), other, timestamp)
    assert fault is (None if body == other else SignatureFault.WRONG)


@given(SECRETS, SECRETS, TIMES)
def test_another_secret_is_not_believed(secret: str, other: str, timestamp: int) -> None:
    fault = verify(other, sign(secret, timestamp, b"x"), b"x", timestamp)
    assert fault is (None if secret == other else SignatureFault.WRONG)


@given(TIMES, st.integers(min_value=1, max_value=300))
def test_the_time_cannot_be_moved_without_the_secret(timestamp: int, seconds: int) -> None:
    moved = sign("secret", timestamp, b"x").replace(f"t={timestamp}", f"t={timestamp + seconds}")
    assert verify("secret", moved, b"x", timestamp) is SignatureFault.WRONG


@given(st.text(max_size=200))
def test_any_other_header_is_malformed_and_never_an_error(header: str) -> None:
    assert verify("secret", header, b"x", NOW) is SignatureFault.MALFORMED
