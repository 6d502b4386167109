"""The signature of webhooks, both ways: HMAC-SHA256 over the time and the body.

Header: `X-Dispatch-Signature: t=<seconds since 1970>,v1=<hexadecimal>`; signed is `<t>.<body>`.
Source: promise.md, security 10 (HMAC with time, replays harmless).
"""

import hmac
import re
from enum import StrEnum

SIGNATURE_HEADER = "X-Dispatch-Signature"
MESSAGE_HEADER = "X-Dispatch-Message"
TOLERANCE_SECONDS = 300
LONGEST_HEADER = 500
FORM = re.compile(r"t=([0-9]{1,15})((?:,v1=[0-9a-f]{64}){1,4})", re.ASCII)


class SignatureFault(StrEnum):
    """Why a signed message is not believed."""

    MALFORMED = "malformed"
    STALE = "stale"
    WRONG = "wrong"


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """The header for a body that is sent at `timestamp` (whole seconds since 1970, not negative)."""
    return f"t={timestamp},v1={digest(secret, timestamp, body)}"


def verify(
    secret: str, header: str, body: bytes, now: int, tolerance: int = TOLERANCE_SECONDS
) -> SignatureFault | None:
    """None for a good signature whose time is at most `tolerance` seconds from `now`; else what is wrong.

    Compares in constant time; while a secret is changed the header may carry up to four signatures.
    """
    found = FORM.fullmatch(header) if len(header) <= LONGEST_HEADER else None
    if found is None:
        return SignatureFault.MALFORMED
    timestamp = int(found.group(1))
    expected = digest(secret, timestamp, body)
    given = [part.removeprefix("v1=") for part in found.group(2).split(",")[1:]]
    matches = [hmac.compare_digest(expected, one) for one in given]
    if not secret or not any(matches):
        return SignatureFault.WRONG
    return SignatureFault.STALE if abs(now - timestamp) > tolerance else None


def digest(secret: str, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 over `<timestamp>.<body>`, hexadecimal."""
    return hmac.digest(secret.encode(), f"{timestamp}.".encode() + body, "sha256").hex()
