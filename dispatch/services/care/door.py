"""The code at an elder's door: made of the home and the installation's secret, so that nothing of a person is in it."""

import base64
import hmac

from dispatch.rules.care.recording import CODE_BEGINNING, CODE_LETTERS, code_said
from dispatch.services.access import vault

PURPOSE = "care.door"


def door_code(household_id: int) -> str:
    """The letters under the QR of a home."""
    return base64.b32encode(vault.keyed(PURPOSE, str(household_id))).decode()[:CODE_LETTERS]


def printed_code(household_id: int) -> str:
    """What the QR says."""
    return CODE_BEGINNING + door_code(household_id)


def fits(household_id: int, text: str) -> bool:
    """Whether this is the code of the home, compared in constant time."""
    return hmac.compare_digest(door_code(household_id).encode(), code_said(text).encode())
