"""The love card (爱心卡): what is printed in its QR, how it is read, and what it shows without a network.

The QR holds `HQ1/<token>/<yyyymmdd>/<signature>`: a random token (130 bits), the day of issue, and the signature of
all before it (ECDSA P-256, r and s); nothing of a person. The token opens the desk, where the server knows its hash;
the signature only shows that the card was valid on its day, and opens nothing. Letters are Crockford's base 32, so
that a token can be typed. Source: rules.md §6 (random token + QR, no personal data in the QR), issue 4.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from dispatch.errors import Invalid

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TOKEN_LETTERS = 26
BITS_OF_LETTER = 5
BEGINNING = "HQ1"
GROUP = 5
READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
TOKEN = re.compile(rf"[{ALPHABET}]{{{TOKEN_LETTERS}}}")
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


def token_of(random: bytes) -> str:
    """The token made of random bytes (17 or more): 26 letters, 130 bits."""
    number = int.from_bytes(random) & ((1 << TOKEN_LETTERS * BITS_OF_LETTER) - 1)
    return in_letters(number, TOKEN_LETTERS)


def in_letters(number: int, length: int) -> str:
    """A number in base 32, as many letters as said."""
    letters = []
    for _ in range(length):
        number, rest = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[rest])
    return "".join(reversed(letters))


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


def spoken(token: str) -> str:
    """The token as it is printed under the QR, in groups, to be typed."""
    return "-".join(token[first : first + GROUP] for first in range(0, TOKEN_LETTERS, GROUP))


def read_card(text: str) -> PrintedCard:
    """What a scanner, a camera or somebody who types says; raises Invalid("card") for what is no love card."""
    said = text.strip().upper()
    parts = said.split(SEPARATOR)
    if len(parts) == PARTS and parts[0] == BEGINNING and TOKEN.fullmatch(parts[1]):
        return PrintedCard(parts[1], day_of(parts[2]), parts[3])
    token = said.translate(READ_AS)
    if TOKEN.fullmatch(token) is None:
        raise Invalid("card", "这不是爱心卡上的码,请重新扫描,或输入卡上二维码下面的26位字母和数字")
    return PrintedCard(token, None, "")


def day_of(digits: str) -> date:
    """The day of a QR; raises Invalid("card")."""
    try:
        return datetime.strptime(digits, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError as error:
        raise Invalid("card", "爱心卡上的日期不正确,请重新扫描") from error
