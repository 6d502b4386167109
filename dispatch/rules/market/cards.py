"""The love card (爱心卡): what is printed in its QR, how it is read, and what it shows without a network.

The QR holds `HQ1/<token>/<yyyymmdd>/<signature>`: a random token (130 bits), the day of issue, and the signature of
all before it (ECDSA P-256, r and s); nothing of a person. The token opens the desk, where the server knows its hash;
the signature only shows that the card was valid on its day, and opens nothing. Letters are Crockford's base 32, so
that a token can be typed. Source: rules.md §6 (random token + QR, no personal data in the QR), issue 4.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from dispatch.errors import Invalid
from dispatch.rules.access.tokens import ALPHABET, BITS_OF_LETTER, TOKEN, in_letters, typed

BEGINNING = "HQ1"
PARTS = 4
SEPARATOR = "/"


class CardEnd(StrEnum):
    """Why a card is no longer good: lost (its replacement kills it), revoked, or its holder's time is over."""

    LOST = "lost"
    REVOKED = "revoked"
    OVER = "over"


END_LABELS: dict[CardEnd, str] = {
    CardEnd.LOST: "已挂失",
    CardEnd.REVOKED: "已收回",
    CardEnd.OVER: "资格已终止",
}


@dataclass(frozen=True, slots=True)
class PrintedCard:
    """What a QR says: the token, the day of issue, and the signature (empty where only the token was typed)."""

    token: str
    day: date | None
    signature: str


def bytes_in_letters(content: bytes) -> str:
    """Bytes in base 32, the number that they are."""
    return in_letters(int.from_bytes(content), -(-len(content) * 8 // BITS_OF_LETTER))


def bytes_of_letters(letters: str, length: int) -> bytes | None:
    """The bytes back; None for what are none."""
    number = 0
    for letter in letters:
        place = ALPHABET.find(letter)
        if place < 0:
            return None
        number = number * len(ALPHABET) + place
    return number.to_bytes(length) if number < 1 << 8 * length else None


def signed_part(token: str, day: date) -> str:
    """What the signature covers."""
    return SEPARATOR.join((BEGINNING, token, day.strftime("%Y%m%d")))


def printed(token: str, day: date, signature: bytes) -> str:
    """The text of the QR."""
    return SEPARATOR.join((signed_part(token, day), bytes_in_letters(signature)))


def read_card(text: str) -> PrintedCard:
    """What a scanner, a camera or somebody who types says; raises Invalid("card") for what is no love card."""
    said = text.strip().upper()
    parts = said.split(SEPARATOR)
    if len(parts) == PARTS and parts[0] == BEGINNING and TOKEN.fullmatch(parts[1]):
        return PrintedCard(parts[1], day_of(parts[2]), parts[3])
    token = typed(text)
    if token is None:
        raise Invalid("card", "这不是爱心卡上的码,请重新扫描,或输入卡上二维码下面的26位字母和数字")
    return PrintedCard(token, None, "")


def day_of(digits: str) -> date:
    """The day of a QR; raises Invalid("card")."""
    try:
        return datetime.strptime(digits, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError as error:
        raise Invalid("card", "爱心卡上的日期不正确,请重新扫描") from error
