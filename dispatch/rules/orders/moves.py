"""How the limits of an order moved in its life: replayed from the history over a calendar that was corrected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatch.rules.catalogue.calendar import WorkingCalendar
from dispatch.rules.orders.clocks import after_hold


@dataclass(frozen=True, slots=True)
class Held:
    """A hold that has ended."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Extended:
    """A granted extension: so many working days, or the end that long works named."""

    days: int = 0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Renewed:
    """Opened again: from `begin` on the service clock runs anew, to an end of its own."""

    begin: datetime
    service: datetime


Move = Held | Extended | Renewed


@dataclass(frozen=True, slots=True)
class Ends:
    """When the civic and the service limit end."""

    civic: datetime
    service: datetime


def replayed(ends: Ends, moves: Sequence[Move], office: WorkingCalendar, service_calendar: WorkingCalendar) -> Ends:
    """Give the ends after all moves, in their order, as they would have been granted with today's calendar.

    An extension counts in the office's working days for both limits and never shortens the service limit; a hold
    stops each limit's own clock. What is opened again has a service limit from then on, and of a hold only what
    came after. Source: hotline.md §1 #16, #17 and #18, §3 “a calendar correction recomputes”.
    """
    civic, service = ends.civic, ends.service
    since: datetime | None = None
    for move in moves:
        if isinstance(move, Held):
            civic = after_hold(civic, move.begin, move.end, office)
            service = after_hold(service, max(move.begin, since or move.begin), move.end, service_calendar)
        elif isinstance(move, Renewed):
            since, service = move.begin, move.service
        elif move.until is not None:
            civic, service = move.until, max(service, move.until)
        else:
            civic = office.add_working_days(civic, move.days).instant
            service = max(service, office.add_working_days(service, move.days).instant)
    return Ends(civic, service)
