"""Numbers that look right and belong to nobody: resident IDs, credit codes, telephones, passwords.

Stated blocks, so that no real person's number can be met by chance:
- telephones are 17400-xxxxxx to 17405-xxxxxx, the range held for the ministry's own emergency satellite
  service, not sold to subscribers: 17400 residents, 17403 firms and units, 17404 staff, 17405 strangers;
- resident IDs carry area 331102 and a sequence of 900 to 995, beyond what a district registers on one day;
- credit codes carry an organisation code that begins with MAX, a run not yet issued.
"""

from collections import Counter
from datetime import date
from random import Random
from typing import Literal

from dispatch.rules.grid.identity import (
    organisation_code_check_character,
    resident_id_check_character,
    unified_code_check_character,
)

AREA_CODE = "331102"
FIRST_SEQUENCE = {"male": 901, "female": 900}
LAST_SEQUENCE = 995
PHONE_BLOCKS = {"resident": "17400", "firm": "17403", "staff": "17404", "stranger": "17405"}
CLEAR_CHARACTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

Sex = Literal["male", "female"]
PhoneBlock = Literal["resident", "firm", "staff", "stranger"]


class ResidentIds:
    """Hands out resident identity numbers, each once."""

    def __init__(self) -> None:
        self._given: Counter[tuple[date, Sex]] = Counter()

    def next(self, birth: date, sex: Sex) -> str:
        """The next number of this birth date and sex; raises ValueError when the day's are used up."""
        sequence = FIRST_SEQUENCE[sex] + 2 * self._given[birth, sex]
        if sequence > LAST_SEQUENCE:
            raise ValueError(f"no identity numbers left for {birth}")
        self._given[birth, sex] += 1
        first = f"{AREA_CODE}{birth:%Y%m%d}{sequence}"
        return first + resident_id_check_character(first)


class CreditCodes:
    """Hands out unified social credit codes, each once."""

    def __init__(self, random: Random) -> None:
        self._numbers = iter(random.sample(range(100_000), 2_000))

    def next(self, kind: str) -> str:
        """A code of a kind of registration: 91 company, 92 merchant, 12 public, 52 civil, 11 office."""
        organisation = f"MAX{next(self._numbers):05}"
        first = f"{kind}{AREA_CODE}{organisation}{organisation_code_check_character(organisation)}"
        return first + unified_code_check_character(first)


class Phones:
    """Hands out mobile numbers of one block, each once."""

    def __init__(self, random: Random, block: PhoneBlock) -> None:
        self._block = PHONE_BLOCKS[block]
        self._numbers = iter(random.sample(range(1_000_000), 20_000))

    def next(self) -> str:
        """Eleven digits."""
        return f"{self._block}{next(self._numbers):06}"


def password(random: Random) -> str:
    """Sixteen characters in four groups, without those that are read wrongly, with a digit in it."""
    letters = [random.choice(CLEAR_CHARACTERS) for _ in range(15)]
    letters.insert(random.randrange(16), random.choice("23456789"))
    text = "".join(letters)
    return "-".join(text[start : start + 4] for start in range(0, 16, 4))


def webhook_secret(random: Random) -> str:
    """Sixty-four hexadecimal characters."""
    return f"{random.getrandbits(256):064x}"
