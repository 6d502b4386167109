"""Care: schedules of visits and their occurrences."""

from dispatch.models.care.visits import VisitOccurrence, VisitSchedule

__all__ = ["VisitOccurrence", "VisitSchedule"]
