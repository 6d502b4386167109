"""Chunks of the load: the organisation tree with policies and calendar, the kinds, the knowledge, and the grid."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.demo.loading.book import Book
from dispatch.demo.organisations import COMMUNITY, DISTRICT
from dispatch.models.catalogue import CalendarYear
from dispatch.rules.catalogue.calendar import YearNotKnown
from dispatch.services import catalogue, grid
from dispatch.services.access import policies

POLICIES_SINCE = timedelta(days=400)


def load_organisations(session: Session, book: Book) -> int:
    """The tree, the starting policies at its root, the calendar of this year and, where known, the next."""
    known = book.known(session).organisations()
    fresh = [one for one in book.community.organisations if one.code not in known]
    for one in fresh:
        made = grid.create_organisation(
            session,
            kind=one.kind,
            code=one.code,
            name=one.name,
            parent_id=known[one.parent_code] if one.parent_code else None,
            actor=book.actor,
            now=book.now,
        )
        known[one.code] = made.id
    values = {policy.key: policy.value for policy in book.community.policies}
    policies.seed(session, known[DISTRICT], values, book.now - POLICIES_SINCE)
    load_calendar(session, book, known[DISTRICT])
    return len(fresh)


def load_calendar(session: Session, book: Book, district_id: int) -> None:
    """This year's holidays and make-up workdays, and next year's where the library holds them."""
    year = clock.today(book.now).year
    query = select(CalendarYear.year).where(CalendarYear.organisation_id == district_id)
    entered = set(session.scalars(query))
    for each in sorted({year, year + 1} - entered):
        try:
            catalogue.seed_calendar_year(session, district_id, each, actor=book.actor, now=book.now)
        except YearNotKnown:
            print(f"  {each} 年的节假日尚未公布，需人工录入 · the calendar of {each} is to be entered by hand")


def load_services(session: Session, book: Book) -> int:
    """The kinds of order, held by the district."""
    known = book.known(session)
    before = known.services()
    after = catalogue.seed_catalogue(session, known.organisations()[DISTRICT], actor=book.actor)
    return len(after) - len(before)


def load_knowledge(session: Session, book: Book) -> int:
    """What the desk may answer by itself, kept by the district."""
    district_id = book.known(session).organisations()[DISTRICT]
    return catalogue.seed_knowledge(session, district_id, actor=book.actor, now=book.now)


def load_grid(session: Session, book: Book) -> int:
    """Areas, buildings with the names that people call them, and stairwells."""
    known = book.known(session)
    if known.areas():
        return 0
    community_id, whole = known.organisations()[COMMUNITY], book.community.grid
    reason = grid.Principle.NEAR
    areas = [grid.AreaDraft(one.number, one.name, one.latitude, one.longitude) for one in whole.areas]
    grid.create_areas(session, community_id, areas, principle=reason, actor=book.actor)
    area_ids = known.areas()
    names = [grid.PlaceNameDraft(one.name, "nickname", area_id=area_ids[one.code]) for one in whole.areas]
    grid.create_place_names(session, community_id, names, actor=book.actor)
    buildings = [
        grid.BuildingDraft(
            area_id=area_ids[one.area_code],
            number=one.number,
            address=one.address,
            latitude=one.latitude,
            longitude=one.longitude,
            estate=one.estate or None,
            road=one.road,
            road_number=one.road_number,
            nicknames=one.nicknames,
        )
        for one in whole.buildings
    ]
    made = grid.create_buildings(session, community_id, buildings, principle=reason, actor=book.actor)
    building_ids = dict(zip((one.code for one in whole.buildings), made, strict=True))
    stairwells = [
        grid.StairwellDraft(building_ids[one.building_code], one.number, one.code) for one in whole.stairwells
    ]
    grid.create_stairwells(session, community_id, stairwells, principle=reason, actor=book.actor)
    return len(areas) + len(buildings) + len(stairwells)
