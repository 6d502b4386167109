"""Random tokens on paper: letters that a scanner reads, a camera finds and somebody can type.

Letters are Crockford's base 32 (no I, L, O, U), 26 of them: 130 random bits. Source: rules.md §6 (random token + QR, no
personal data in the QR); promise.md (links of 128 bits or more).
"""

import re

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TOKEN_LETTERS = 26
BITS_OF_LETTER = 5
RANDOM_BYTES = 17
"""As many random bytes as a token needs."""
GROUP = 5
READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
TOKEN = re.compile(rf"[{ALPHABET}]{{{TOKEN_LETTERS}}}")


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


def spoken(token: str) -> str:
    """The token as it is printed under the QR, in groups, to be typed."""
    return "-".join(token[first : first + GROUP] for first in range(0, TOKEN_LETTERS, GROUP))


def typed(text: str) -> str | None:
    """The token that somebody typed, in groups or not, with letters that look alike; None for what is none."""
    token = text.strip().upper().translate(READ_AS)
    return token if TOKEN.fullmatch(token) else None
