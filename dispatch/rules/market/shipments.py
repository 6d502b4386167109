"""Relief shipments (赈灾物资): sent, received, returned, lost, line by line; signed for by the receiving body.

Source: rules.md §6 (destination down to town, receiving body, persons, per line sent / received / returned, receiver's
signature; joint shipments; a shipment is measured at its planned consumption date).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from dispatch.errors import Conflict, Invalid

LONGEST_WORDS = 60
LONGEST_REASON = 300
MOST_PERSONS = 1_000_000


class ShipmentState(StrEnum):
    """How a shipment stands; RECONCILED when every line adds up."""

    PLANNED = "planned"
    SENT = "sent"
    RECEIVED = "received"
    RECONCILED = "reconciled"
    CANCELLED = "cancelled"


STATE_LABELS: dict[ShipmentState, str] = {
    ShipmentState.PLANNED: "备货",
    ShipmentState.SENT: "已发出",
    ShipmentState.RECEIVED: "已签收，待核对",
    ShipmentState.RECONCILED: "已核对",
    ShipmentState.CANCELLED: "已取消",
}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where it goes, down to the town: 莲都区 · 碧湖镇 (a town of 莲都, not a county)."""

    city: str
    county: str
    town: str


@dataclass(frozen=True, slots=True)
class SentLine:
    """One line in the smallest unit: what left, what the receiver signed for, what came back, why some is missing."""

    sent: int
    received: int | None = None
    returned: int = 0
    reason: str = ""

    @property
    def missing(self) -> int:
        """What neither arrived nor came back; all of it before the receiver has signed."""
        return self.sent - (self.received or 0) - self.returned


@dataclass(frozen=True, slots=True)
class SentLot:
    """So much of a lot that left, with its last good day as it was then."""

    lot_id: int
    amount: int
    last_good_day: date | None


class Became(NamedTuple):
    """What became of a lot: signed for, back, lost."""

    received: int
    returned: int
    missing: int


class ShipmentNotThere(Conflict):
    """这批物资现在的状态不能这样处理，请刷新后再看"""


def check_destination(place: Destination) -> None:
    """Refuse a destination that does not say county and town; raises Invalid naming the field."""
    for name, value, message in (
        ("city", place.city, "请写明到哪个市"),
        ("county", place.county, "请写明到哪个县（市、区）"),
        ("town", place.town, "请写明到哪个乡镇（街道）"),
    ):
        if not value.strip() or len(value) > LONGEST_WORDS:
            raise Invalid(name, message)


def check_plan(persons: int, sends_on: date, consumed_by: date, receiver: str) -> None:
    """Refuse a shipment for nobody, to nobody, or that is used up before it leaves; raises Invalid."""
    if not 1 <= persons <= MOST_PERSONS:
        raise Invalid("persons", "请写明给多少人用")
    if not receiver.strip() or len(receiver) > LONGEST_WORDS:
        raise Invalid("receiver", "请写明由哪个单位接收")
    if consumed_by < sends_on:
        raise Invalid("consumed_by", "预计用完的日子不能早于发出的日子")


def check_send(state: ShipmentState, lines: Sequence[SentLine]) -> None:
    """Refuse sending twice, or nothing; raises Invalid, ShipmentNotThere."""
    if state is not ShipmentState.PLANNED:
        raise ShipmentNotThere
    if not lines or any(line.sent <= 0 for line in lines):
        raise Invalid("lines", "发出的物资至少一行，每一行都要大于零")


def check_cancelled(state: ShipmentState) -> None:
    """Refuse calling off what has left; raises ShipmentNotThere."""
    if state is not ShipmentState.PLANNED:
        raise ShipmentNotThere


def check_helped(state: ShipmentState) -> None:
    """Refuse naming who was helped before the receiver has signed; raises ShipmentNotThere."""
    if state not in {ShipmentState.RECEIVED, ShipmentState.RECONCILED}:
        raise ShipmentNotThere


def check_receipt(state: ShipmentState, lines: Iterable[SentLine], signer: str) -> None:
    """Refuse a receipt without a signer, or of more than was sent; raises Invalid, ShipmentNotThere."""
    if state is not ShipmentState.SENT:
        raise ShipmentNotThere
    if not signer.strip() or len(signer) > LONGEST_WORDS:
        raise Invalid("signer", "请写明对方由谁签收")
    for line in lines:
        if line.received is None or line.received < 0 or line.returned < 0 or line.missing < 0:
            raise Invalid("lines", "签收与退回之和不能超过发出的数量")


def parted(lots: Sequence[SentLot], returned: int, missing: int) -> list[tuple[SentLot, Became]]:
    """What became of each lot of some goods, of which so much came back and so much is missing.

    Nobody says of which lot it was: what ends first is taken to have come back, then to be missing, so that nothing
    that came back is thought good for longer than it may be.
    """
    found = []
    for lot in sorted(lots, key=lambda one: (one.last_good_day is None, one.last_good_day, one.lot_id)):
        back = min(lot.amount, returned)
        lost = min(lot.amount - back, missing)
        returned, missing = returned - back, missing - lost
        found.append((lot, Became(lot.amount - back - lost, back, lost)))
    return found


def unexplained(lines: Iterable[SentLine]) -> list[int]:
    """The places of the lines, from 0, where something is missing and nobody said why."""
    return [place for place, line in enumerate(lines) if line.missing > 0 and not line.reason.strip()]


def check_reconciled(state: ShipmentState, lines: Sequence[SentLine]) -> None:
    """Refuse closing a shipment in which something is missing without a reason; raises Invalid."""
    if state is not ShipmentState.RECEIVED:
        raise ShipmentNotThere
    if unexplained(lines):
        raise Invalid("lines", "少了的物资要写明原因")
