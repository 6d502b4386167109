"""Chunks of the load: residents in their households, units and merchants, work resources, posts."""

from datetime import datetime, time

from sqlalchemy.orm import Session

from dispatch.demo.loading.book import Book
from dispatch.demo.organisations import COMMUNITY
from dispatch.demo.teams import Post
from dispatch.models.grid import Post as PostRow
from dispatch.models.grid import WorkResource
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import catalogue, grid

CHUNK = 1_000
CELL_OF = {
    "area_chief": "area",
    "partner_liaison": "area",
    "group_leader": "building",
    "stairwell_leader": "stairwell",
    "stairwell_liaison": "stairwell",
}


def load_households(session: Session, book: Book) -> int:
    """The homes."""
    known = book.known(session)
    if known.households():
        return 0
    stairwells = known.stairwells()
    homes = [(stairwells[one.stairwell_code], one.room) for one in book.community.register.households]
    grid.register_households(session, known.organisations()[COMMUNITY], homes, actor=book.actor)
    return len(homes)


def load_residents(session: Session, book: Book) -> int:
    """The residents, each in the home since its household moved in or since birth."""
    known = book.known(session)
    there = known.residents()
    homes, since = known.households(), {one.code: one.since for one in book.community.register.households}
    drafts = [
        grid.ResidentDraft(
            name=one.name,
            household_id=homes[one.household_code],
            since=max(since[one.household_code], one.birth_date),
            sex=one.sex,
            birth_date=one.birth_date,
            phone=one.phone,
            identity_number=one.id_number,
            lives_alone=one.lives_alone,
        )
        for one in book.community.register.residents
        if one.code not in there
    ]
    community_id = known.organisations()[COMMUNITY]
    for first in range(0, len(drafts), CHUNK):
        part = drafts[first : first + CHUNK]
        grid.register_residents(session, community_id, part, actor=book.actor, now=book.now)
    return len(drafts)


def load_establishments(session: Session, book: Book) -> int:
    """Units and merchants."""
    known = book.known(session)
    there, areas, buildings = known.establishments(), known.areas(), known.buildings()
    area_of = {one.code: areas[one.area_code] for one in book.community.grid.buildings}
    drafts = [
        grid.EstablishmentDraft(
            kind=one.kind,
            name=one.name,
            uscc=one.uscc,
            area_id=area_of[one.building_code],
            building_id=buildings[one.building_code],
            contact_name=one.contact_name,
            phone=one.phone,
        )
        for one in book.community.establishments
        if one.code not in there
    ]
    if drafts:
        community_id = known.organisations()[COMMUNITY]
        grid.register_establishments(session, community_id, drafts, actor=book.actor)
    return len(drafts)


def load_resources(session: Session, book: Book) -> int:
    """People and partner units who can help."""
    if session.query(WorkResource.id).first() is not None:
        return 0
    known = book.known(session)
    residents, establishments = known.residents(), known.establishments()
    drafts = [
        grid.ResourceDraft(
            kind=one.kind,
            name=one.name,
            skills=one.skills,
            resident_id=residents[one.resident_code] if one.resident_code else None,
            establishment_id=establishments[one.unit_code] if one.unit_code else None,
            times=catalogue.shifts_of(one.hours),
            consented_at=datetime.combine(one.consented_on, time(10), SHANGHAI),
        )
        for one in book.community.resources
    ]
    grid.register_resources(session, known.organisations()[COMMUNITY], drafts, actor=book.actor)
    return len(drafts)


def load_posts(session: Session, book: Book) -> int:
    """Who holds the posts of areas, buildings and stairwells."""
    if session.query(PostRow.id).first() is not None:
        return 0
    known = book.known(session)
    drafts = _post_drafts(book, session)
    grid.give_posts(session, known.organisations()[COMMUNITY], drafts, actor=book.actor)
    return len(drafts)


def _post_drafts(book: Book, session: Session) -> list[grid.PostDraft]:
    known = book.known(session)
    cells = {"area": known.areas(), "building": known.buildings(), "stairwell": known.stairwells()}
    residents, users, establishments = known.residents(), known.users(), known.establishments()
    names = {one.code: one.name for one in book.community.register.residents}
    names |= {one.login: one.name for one in book.community.staff}

    def draft(one: Post) -> grid.PostDraft:
        cell = CELL_OF[one.kind]
        return grid.PostDraft(
            kind=grid.PostKind(one.kind),
            holder_name=names[one.resident_code or one.login or ""],
            valid_from=one.from_date,
            area_id=cells["area"][one.scope_code] if cell == "area" else None,
            building_id=cells["building"][one.scope_code] if cell == "building" else None,
            stairwell_id=cells["stairwell"][one.scope_code] if cell == "stairwell" else None,
            resident_id=residents[one.resident_code] if one.resident_code else None,
            user_id=users[one.login] if one.login else None,
            establishment_id=establishments[one.unit_code] if one.unit_code else None,
        )

    return [draft(one) for one in book.community.posts]
