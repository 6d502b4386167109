"""Until when a lot is good, and whether it may be given: the ONE function that decides, for every way out.

Its twin in the database is `market_refusal` (migrations/sql/stock.sql), which judges every movement at commit.
Source: rules.md §6, “不让过期食品流到困难群众手里”.
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from dispatch.errors import Invalid

MONTHS_IN_YEAR = 12
MOST_DAYS, MOST_MONTHS = 3_650, 120
"""Ten years: a longer shelf life is a slip of the pen."""
OLDEST, LATEST = date(1990, 1, 1), date(2199, 12, 31)


class Commodity(StrEnum):
    """What goods are measured in: the smallest unit, so that every amount is a whole number (1 斤 = 500 g)."""

    GRAM = "gram"
    PIECE = "piece"


class LifeUnit(StrEnum):
    """In what a shelf life is said."""

    DAY = "day"
    MONTH = "month"


class Spot(StrEnum):
    """Where in a facility goods stand."""

    STORE = "store"
    SHELF = "shelf"
    QUARANTINE = "quarantine"


class MoveKind(StrEnum):
    """Every way in which goods come, go and stand elsewhere."""

    RECEIVE = "receive"
    SHELVE = "shelve"
    TRANSFER = "transfer"
    QUARANTINE = "quarantine"
    RELEASE = "release"
    HAND_OUT = "hand_out"
    PARCEL = "parcel"
    KIT = "kit"
    SHIPMENT = "shipment"
    SALE = "sale"
    RETURN = "return"
    ADJUST = "adjust"
    DISPOSE = "dispose"
    REVERSE = "reverse"


GIVING = frozenset({MoveKind.HAND_OUT, MoveKind.PARCEL, MoveKind.KIT, MoveKind.SHIPMENT, MoveKind.SALE})
"""What reaches people, at once or as a part of something."""
JUDGED = GIVING | {MoveKind.SHELVE, MoveKind.RELEASE}
"""What is refused for a lot that may not be given: a shelf is where people choose."""
INSIDE = frozenset({MoveKind.SHELVE, MoveKind.QUARANTINE, MoveKind.RELEASE})
"""What changes the spot only: no journal entry."""


class Refusal(StrEnum):
    """Why goods may not be given."""

    RECALLED = "recalled"
    QUARANTINED = "quarantined"
    NO_DAY_OF_USE = "no_day_of_use"
    SIGNED_LATER = "signed_later"
    NOT_YET_HERE = "not_yet_here"
    UNKNOWN_DAY = "unknown_day"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class ShelfLife:
    """How long goods are good from the day of production."""

    amount: int
    unit: LifeUnit


@dataclass(frozen=True, slots=True)
class LotShelf:
    """What of a lot decides: food or not, its last good day (None: unknown), when it came, where it stands."""

    is_food: bool
    last_good_day: date | None
    received_on: date
    spot: Spot = Spot.SHELF
    is_recalled: bool = False


@dataclass(frozen=True, slots=True)
class Days:
    """The days in Shanghai at which a giving is judged: signed, today, and for a shipment when it will be eaten."""

    signed_on: date
    today: date
    consumed_on: date | None = None


def last_good_day(produced_on: date | None, life: ShelfLife | None, stated: date | None) -> date | None:
    """The last day on which a lot may be given, the day itself allowed; None where it is not known.

    A stated day (保质期至) wins. Months: the same day of the month, else its last day; days: production + n.
    Source: rules.md §6.
    """
    if stated is not None:
        return stated
    if produced_on is None or life is None:
        return None
    if life.unit is LifeUnit.DAY:
        return produced_on + timedelta(days=life.amount)
    return add_months(produced_on, life.amount)


def add_months(day: date, months: int) -> date:
    """The same day of the month so many months later, or that month's last day."""
    year, month = divmod(day.year * MONTHS_IN_YEAR + day.month - 1 + months, MONTHS_IN_YEAR)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def check_dates(produced_on: date | None, life: ShelfLife | None, stated: date | None, *, today: date) -> None:
    """Refuse dates of a lot that cannot be; raises Invalid naming produced_on, life_amount or expires_on."""
    if produced_on is not None and not OLDEST <= produced_on <= today:
        raise Invalid("produced_on", "生产日期不能晚于今天，请照包装填写")
    if stated is not None and not OLDEST <= stated <= LATEST:
        raise Invalid("expires_on", "请照包装填写保质期至哪一天")
    if stated is not None and produced_on is not None and stated < produced_on:
        raise Invalid("expires_on", "保质期不能早于生产日期")
    if life is not None and not 1 <= life.amount <= (MOST_DAYS if life.unit is LifeUnit.DAY else MOST_MONTHS):
        raise Invalid("life_amount", "保质期最长十年，请填写天数或月数")


def refusal(lot: LotShelf, kind: MoveKind, days: Days) -> Refusal | None:
    """Why a lot may not go this way on these days; None when it may. Ways that reach nobody are never refused.

    Judged on the day of signing AND today, a shipment also on its planned day of use. Nothing is signed for a
    day to come, nor for one before the lot was here. Source: rules.md §6; decision 0009, 10.
    """
    if kind not in JUDGED:
        return None
    return refusal_of_standing(lot, kind) or refusal_of_days(lot, kind, days)


def refusal_of_standing(lot: LotShelf, kind: MoveKind) -> Refusal | None:
    """Why a lot may not be given whatever the day: called back, or standing apart (which a release ends)."""
    if lot.is_recalled:
        return Refusal.RECALLED
    if lot.spot is Spot.QUARANTINE and kind is not MoveKind.RELEASE:
        return Refusal.QUARANTINED
    return None


def refusal_of_days(lot: LotShelf, kind: MoveKind, days: Days) -> Refusal | None:
    """Why a lot may not be given on these days."""
    if kind is MoveKind.SHIPMENT and days.consumed_on is None:
        return Refusal.NO_DAY_OF_USE
    if days.signed_on > days.today:
        return Refusal.SIGNED_LATER
    if days.signed_on < lot.received_on:
        return Refusal.NOT_YET_HERE
    if lot.last_good_day is None:
        return Refusal.UNKNOWN_DAY if lot.is_food else None
    return Refusal.PAST if max(days.today, days.consumed_on or days.today) > lot.last_good_day else None


def may_be_given(lot: LotShelf, kind: MoveKind, days: Days) -> bool:
    """Whether a lot may go this way: the one decision of the house. See `refusal` for the reason."""
    return refusal(lot, kind, days) is None


def kit_last_day(parts: Iterable[LotShelf]) -> date | None:
    """The last good day of what is packed from parts: the earliest of them; None when no part has one.

    Raises Invalid("parts") for food of which the day is not known.
    """
    found: list[date] = []
    for part in parts:
        if part.last_good_day is not None:
            found.append(part.last_good_day)
        elif part.is_food:
            raise Invalid("parts", "保质期不明的食品不能装进爱心包")
    return min(found, default=None)
