"""Whether a household was helped elsewhere of late (重复领取): a warning to the keeper, never a refusal by itself.

Source: rules.md §6 (double-dip check across supermarket, yearly parcel, vouchers and relief).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Programme(StrEnum):
    """Who gives: each writes what it gave into one table of benefits."""

    SUPERMARKET = "supermarket"
    YEARLY_ROUND = "yearly_round"
    RELIEF = "relief"
    VOUCHER = "voucher"


PROGRAMME_LABELS: dict[Programme, str] = {
    Programme.SUPERMARKET: "爱心超市",
    Programme.YEARLY_ROUND: "年度发放",
    Programme.RELIEF: "救灾物资",
    Programme.VOUCHER: "服务券",
}


@dataclass(frozen=True, slots=True)
class Given:
    """Something that a household was given, and when."""

    id: int
    programme: Programme
    on: date


def warnings(given: Iterable[Given], day: date, days: Mapping[Programme, int]) -> list[Given]:
    """What a household was given within so many days of each programme before `day`, or on it, the newest first.

    A programme with 0 days, or none, is not warned of.
    """
    near = [one for one in given if timedelta(0) <= day - one.on < timedelta(days=days.get(one.programme, 0))]
    return sorted(near, key=lambda one: (one.on, one.id), reverse=True)
