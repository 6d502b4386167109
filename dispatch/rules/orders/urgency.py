"""How pressing an order is: the word that limits, offers and lanes depend on."""

from enum import StrEnum


class Urgency(StrEnum):
    """Degrees of pressure, most pressing first; an emergency also goes to a human in parallel.

    Source: hotline.md §1 #9 (urgent, same day, booked), §2 step 5 (emergencies).
    """

    EMERGENCY = "emergency"
    URGENT = "urgent"
    SAME_DAY = "same_day"
    BOOKED = "booked"


URGENCY_LABELS: dict[Urgency, str] = {
    Urgency.EMERGENCY: "突发",
    Urgency.URGENT: "紧急",
    Urgency.SAME_DAY: "当日",
    Urgency.BOOKED: "预约",
}

PRESSING: frozenset[Urgency] = frozenset({Urgency.EMERGENCY, Urgency.URGENT})
"""What does not wait for working hours, nor for the end of quiet hours."""
