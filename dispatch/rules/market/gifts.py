"""Gifts (捐赠): a line per item, never edited, only reversed; who is named; the secret of a receipt.

Source: rules.md §6 (捐赠资金和物资逐笔登记造册, 专款专用; names only with consent, others as 爱心人士).
"""

import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import groupby

from dispatch.errors import Conflict, Invalid
from dispatch.rules.orders.number import ALPHABET

MOST_LINES = 50
LONGEST_ITEM = 60
MOST_AMOUNT = 10**12
SECRET_CHARACTERS = 12
SECRET_GROUP = 4
UNNAMED = "爱心人士"
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})
_BLANKS = re.compile(r"[\s\-]+")


class Owner(StrEnum):
    """Whose stock or money a gift becomes; the third dimension of the journal."""

    OWN = "own"
    PARTNER = "partner"
    OVERSEAS = "overseas"


class Way(StrEnum):
    """How a gift came."""

    DESK = "desk"
    FETCHED = "fetched"
    BANK = "bank"
    SALE = "sale"


class Commodity(StrEnum):
    """What is counted, in its smallest unit."""

    FEN = "fen"
    GRAM = "gram"
    PIECE = "piece"


@dataclass(frozen=True, slots=True)
class Foreign:
    """Money of another country as it was given: code, smallest units, yuan for one whole unit, the rate's day."""

    currency: str
    amount: int
    rate: Decimal
    rate_day: date


@dataclass(frozen=True, slots=True)
class GiftLine:
    """One item of a gift: what, how much of it in the smallest unit, which goods, the foreign money behind it."""

    item: str
    commodity: Commodity
    amount: int
    goods_id: int | None = None
    foreign: Foreign | None = field(default=None)


class LineReversed(Conflict):
    """这一行已经冲销过"""


class ReceiptUnknown(Conflict):
    """收据编号或查询码不对，请照收据上的填写"""


def check_lines(lines: Sequence[GiftLine], owner: Owner) -> None:
    """Refuse a gift without lines or with a line that says nothing; raises Invalid naming the field."""
    if not 1 <= len(lines) <= MOST_LINES:
        raise Invalid("lines", "捐赠至少一行，最多50行")
    for line in lines:
        check_line(line, owner)


def check_line(line: GiftLine, owner: Owner) -> None:
    """Refuse a line without words or amount, goods without their kind, foreign money that is not overseas."""
    if not line.item.strip() or len(line.item) > LONGEST_ITEM:
        raise Invalid("lines", "每一行都要写明品名，不超过60字")
    if not 0 < line.amount <= MOST_AMOUNT:
        raise Invalid("lines", "每一行的数量都要大于零")
    if (line.commodity is Commodity.FEN) != (line.goods_id is None):
        raise Invalid("lines", "物资要选品种，捐款不选")
    if line.foreign is None:
        return
    if line.commodity is not Commodity.FEN or owner is not Owner.OVERSEAS:
        raise Invalid("lines", "外币只用于侨爱捐款")
    if line.foreign.rate <= 0 or line.foreign.amount <= 0:
        raise Invalid("lines", "外币要写明金额和汇率")


def totals(lines: Iterable[GiftLine]) -> dict[Commodity, int]:
    """How much of each commodity the lines bring, by the commodity's name."""
    ordered = sorted(lines, key=lambda line: line.commodity)
    return {unit: sum(one.amount for one in some) for unit, some in groupby(ordered, key=lambda one: one.commodity)}


def public_name(name: str | None, *, consents: bool) -> str:
    """The name that a statement shows: the donor's with consent, 爱心人士 without or for the unknown."""
    return name if consents and name is not None and name.strip() else UNNAMED


def secret_of(digest: bytes) -> str:
    """The secret of a receipt, from a keyed digest of at least eight bytes: K7MP-2QX4-9TRB."""
    number = int.from_bytes(digest[:8], "big")
    plain = "".join(ALPHABET[number >> shift & 31] for shift in range((SECRET_CHARACTERS - 1) * 5, -1, -5))
    return "-".join(plain[start : start + SECRET_GROUP] for start in range(0, SECRET_CHARACTERS, SECRET_GROUP))


def is_secret(typed: str, secret: str) -> bool:
    """Whether somebody typed this secret, however they wrote it; compared in constant time."""
    return hmac.compare_digest(_plain(typed).encode(), _plain(secret).encode())


def _plain(text: str) -> str:
    return _BLANKS.sub("", text).upper().translate(_LOOKALIKES)
