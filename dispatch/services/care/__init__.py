"""Care: schedules of visits, their occurrences as orders, and what becomes of them."""

from dispatch.services.care.hearing import order_changed
from dispatch.services.care.placing import place_batch, place_visits
from dispatch.services.care.schedules import (
    ScheduleEnded,
    ScheduleFilters,
    SchedulePage,
    VisitChange,
    VisitDraft,
    change_schedule,
    end_schedule,
    find,
    list_schedules,
    occurrences_of,
    plan_visits,
)

__all__ = [
    "ScheduleEnded",
    "ScheduleFilters",
    "SchedulePage",
    "VisitChange",
    "VisitDraft",
    "change_schedule",
    "end_schedule",
    "find",
    "list_schedules",
    "occurrences_of",
    "order_changed",
    "place_batch",
    "place_visits",
    "plan_visits",
]
