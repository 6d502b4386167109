"""Gifts (捐赠): a line per item, never edited, only reversed; who is named; the secret of a receipt.

Source: rules.md §6 (捐赠资金和物资逐笔登记造册, 专款专用; names only with consent, others as 爱心人士).
"""

import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import groupby

from dispatch.errors import Conflict, Invalid
from dispatch.rules.funds.draft import Foreign
from dispatch.rules.funds.money import fen_of
from dispatch.rules.funds.terms import Commodity, HoldingKind, Owner
from dispatch.rules.orders.number import ALPHABET

MOST_LINES = 50
LONGEST_ITEM = 60
MOST_AMOUNT = 10**12
SECRET_CHARACTERS = 12
SECRET_GROUP = 4
YEAR_DIGITS = 4
UNNAMED = "爱心人士"
PLACES_OF_MONEY = frozenset({HoldingKind.BANK, HoldingKind.TILL})
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})
_BLANKS = re.compile(r"[\s\-]+")


class Way(StrEnum):
    """How a gift came."""

    DESK = "desk"
    FETCHED = "fetched"
    BANK = "bank"


WAY_LABELS: dict[Way, str] = {Way.DESK: "送到服务台", Way.FETCHED: "上门取来", Way.BANK: "银行转账"}


@dataclass(frozen=True, slots=True)
class Package:
    """What stands on the package of goods."""

    produced_on: date | None = None
    expires_on: date | None = None
    batch_number: str | None = None


@dataclass(frozen=True, slots=True)
class GiftItem:
    """One item of a gift: what, how much of it in the smallest unit, which goods, the foreign money behind it."""

    item: str
    commodity: Commodity
    amount: int
    goods_id: int | None = None
    package: Package = Package()
    foreign: Foreign | None = None


class LineReversed(Conflict):
    """这一行已经冲销过"""


class ReceiptUnknown(Conflict):
    """收据编号或查询码不对，请照收据上的填写"""


def priced(item: GiftItem) -> GiftItem:
    """The item with the fen that its foreign money is worth."""
    return item if item.foreign is None else replace(item, amount=fen_of(item.foreign))


def check_items(items: Sequence[GiftItem], owner: Owner) -> None:
    """Refuse a gift without lines or with a line that says nothing; raises Invalid naming the field."""
    if not 1 <= len(items) <= MOST_LINES:
        raise Invalid("lines", "捐赠至少一行，最多50行")
    for one in items:
        check_item(one, owner)


def check_item(one: GiftItem, owner: Owner) -> None:
    """Refuse a line without words or amount, goods without their kind, foreign money that is not overseas."""
    if not one.item.strip() or len(one.item) > LONGEST_ITEM:
        raise Invalid("lines", "每一行都要写明品名，不超过60字")
    if not 0 < one.amount <= MOST_AMOUNT:
        raise Invalid("lines", "每一行的数量都要大于零")
    if (one.commodity is Commodity.FEN) != (one.goods_id is None):
        raise Invalid("lines", "物资要选品种，捐款不选")
    if one.foreign is not None and (one.commodity is not Commodity.FEN or owner is not Owner.OVERSEAS):
        raise Invalid("lines", "外币只用于侨爱捐款")


def totals(items: Iterable[GiftItem]) -> dict[Commodity, int]:
    """How much of each commodity the lines bring."""
    ordered = sorted(items, key=lambda one: one.commodity)
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


def spelling_of(number: str) -> str:
    """One spelling of a receipt's number for all: 2026-000017, 2026-17 and 202617 are one receipt, tried as one."""
    typed = number.strip().replace("-", "")
    return f"{typed[:YEAR_DIGITS]}-{typed[YEAR_DIGITS:].lstrip('0')}"
