"""The catalogue: kinds of order, teams, performers and their facts, calendars."""

from dispatch.services.catalogue.calendars import (
    calendar_of,
    edit_day,
    enter_year,
    missing_year,
    remove_day,
    seed_calendar_year,
)
from dispatch.services.catalogue.facts import Pace, performer_panels
from dispatch.services.catalogue.kinds import find_service, services_by_id
from dispatch.services.catalogue.loading import NewPaper, NewPerformer
from dispatch.services.catalogue.papers import (
    EndingPaper,
    papers_settled,
    papers_to_tell,
    papers_told,
    papers_valid,
)
from dispatch.services.catalogue.performers import (
    PaperKnown,
    PerformerChanged,
    PerformerKnown,
    add_paper,
    create_performer,
    end_suspension,
    find_performer,
    list_performers,
    organisations_of_performers,
    retire,
    set_capacity,
    set_coverage,
    set_services,
    set_shifts,
    suspend,
)
from dispatch.services.catalogue.search import search_services
from dispatch.services.catalogue.seeding import seed_catalogue
from dispatch.services.catalogue.shifts import shifts_of
from dispatch.services.catalogue.teams import (
    TerritoryTaken,
    block_team,
    block_teams,
    line_team,
    list_teams,
    set_territory,
)
from dispatch.services.catalogue.versions import versions

__all__ = [
    "EndingPaper",
    "NewPaper",
    "NewPerformer",
    "Pace",
    "PaperKnown",
    "PerformerChanged",
    "PerformerKnown",
    "TerritoryTaken",
    "add_paper",
    "block_team",
    "block_teams",
    "calendar_of",
    "create_performer",
    "edit_day",
    "end_suspension",
    "enter_year",
    "find_performer",
    "find_service",
    "line_team",
    "list_performers",
    "list_teams",
    "missing_year",
    "organisations_of_performers",
    "papers_settled",
    "papers_to_tell",
    "papers_told",
    "papers_valid",
    "performer_panels",
    "remove_day",
    "retire",
    "search_services",
    "seed_calendar_year",
    "seed_catalogue",
    "services_by_id",
    "set_capacity",
    "set_coverage",
    "set_services",
    "set_shifts",
    "set_territory",
    "shifts_of",
    "suspend",
    "versions",
]
