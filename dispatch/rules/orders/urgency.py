"""How pressing an order is: the word that limits, offers and lanes depend on."""

from enum import StrEnum


class Urgency(StrEnum):
    """The three degrees that hotline.md §1 #9 sets offer times for."""

    URGENT = "urgent"
    SAME_DAY = "same_day"
    BOOKED = "booked"


URGENCY_LABELS: dict[Urgency, str] = {
    Urgency.URGENT: "紧急",
    Urgency.SAME_DAY: "当日",
    Urgency.BOOKED: "预约",
}
