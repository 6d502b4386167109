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
class Ends:
    """When the civic and the service limit end."""

    civic: datetime
    service: datetime


def replayed(
    ends: Ends, moves: Sequence[Held | Extended], office: WorkingCalendar, service_calendar: WorkingCalendar
) -> Ends:
    """Give the ends after all moves, in their order, as they would have been granted with today's calendar.

    An extension counts in the office's working days for both limits and never shortens the service limit; a hold
    stops each limit's own clock. Source: hotline.md §1 #17 and #18, §3 “a calendar correction recomputes”.
    """
    civic, service = ends.civic, ends.service
    for move in moves:
        if isinstance(move, Held):
            civic = after_hold(civic, move.begin, move.end, office)
            service = after_hold(service, move.begin, move.end, service_calendar)
        elif move.until is not None:
            civic, service = move.until, max(service, move.until)
        else:
            civic = office.add_working_days(civic, move.days).instant
            service = max(service, office.add_working_days(service, move.days).instant)
    return Ends(civic, service)
