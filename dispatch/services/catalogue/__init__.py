"""The catalogue: kinds of order, teams, performers and their facts, calendars."""

from dispatch.services.catalogue.calendars import (
    calendar_of,
    edit_day,
    enter_year,
    missing_year,
    remove_day,
    seed_calendar_year,
)
from dispatch.services.catalogue.facts import MINUTES_PER_JOB, Pace, performer_facts
from dispatch.services.catalogue.kinds import find_service, services_by_id
from dispatch.services.catalogue.papers import papers_valid
from dispatch.services.catalogue.teams import block_team, block_teams, line_team
from dispatch.services.catalogue.versions import versions

__all__ = [
    "MINUTES_PER_JOB",
    "Pace",
    "block_team",
    "block_teams",
    "calendar_of",
    "edit_day",
    "enter_year",
    "find_service",
    "line_team",
    "missing_year",
    "papers_valid",
    "performer_facts",
    "remove_day",
    "seed_calendar_year",
    "services_by_id",
    "versions",
]
