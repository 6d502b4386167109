"""Kinds are found as they are typed; territories are exact; papers are told of once."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from config.seed import service_kinds
from dispatch.errors import Invalid, NotFound
from dispatch.models.catalogue import Paper
from dispatch.rules.access.roles import SYSTEM, Scope
from dispatch.services import catalogue
from dispatch.transaction import begin
from tests.factories.world import firm, make_world, team
from tests.services.grid.factories import actor_of, make_community, make_district, statements

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize("typed", ["gdst", "管道疏通", "guandao", "管道输通", "我家下水道堵了"])
def test_a_kind_is_found_by_chinese_pinyin_initials_and_what_callers_say(session: Session, typed: str) -> None:
    district = make_district(session)
    catalogue.seed_catalogue(session, district, actor=SYSTEM)

    found = catalogue.search_services(session, district, typed, offered="hotline")

    assert found[0].code == "drain_clearing"


def test_the_seed_has_32_hotline_kinds_and_a_second_seeding_changes_nothing(session: Session) -> None:
    district = make_district(session)
    catalogue.seed_catalogue(session, district, actor=SYSTEM)
    before = catalogue.versions(session, [district])

    ids = catalogue.seed_catalogue(session, district, actor=SYSTEM)

    assert len(ids) == len(service_kinds())
    assert len(catalogue.search_services(session, district, "", offered="hotline", limit=100)) == 32
    assert len(catalogue.search_services(session, district, "", offered="station", limit=100)) == 12
    assert catalogue.versions(session, [district]) == before


def test_a_search_in_an_unchanged_catalogue_makes_two_queries(session: Session) -> None:
    district = make_district(session)
    catalogue.seed_catalogue(session, district, actor=SYSTEM)
    catalogue.search_services(session, district, "gd")

    with statements(session) as sent:
        catalogue.search_services(session, district, "gdst")

    assert len(sent) == 2


def test_a_community_finds_the_kinds_of_its_district_and_an_unknown_one_names_its_field(
    session: Session,
) -> None:
    community = make_community(session)
    ids = catalogue.seed_catalogue(session, community.district, actor=SYSTEM)
    elsewhere = make_community(session)

    found = catalogue.find_service(session, community.id, code="drain_clearing")
    assert found.id == ids["drain_clearing"]
    with pytest.raises(Invalid) as refused:
        catalogue.find_service(session, community.id, code="no_such_kind")
    assert refused.value.field == "service_code"
    with pytest.raises(Invalid) as refused:
        catalogue.find_service(session, elsewhere.id, service_id=found.id)
    assert refused.value.field == "service_id"
    with pytest.raises(Invalid):
        catalogue.find_service(session, community.id)


def test_a_building_belongs_to_one_block_team_on_any_day(session: Session) -> None:
    world = make_world(session, firms=0)
    building = world.buildings[0].id
    other = team(session, world.community, "block", area=world.area)

    catalogue.set_territory(session, building, other.id, TODAY, actor=SYSTEM)

    assert catalogue.block_team(session, building, TODAY - timedelta(days=1)) == world.block.id
    assert catalogue.block_team(session, building, TODAY) == other.id
    with pytest.raises(catalogue.TerritoryTaken):
        catalogue.set_territory(session, building, world.block.id, TODAY - timedelta(days=9), actor=SYSTEM)
    assert catalogue.block_team(session, building, TODAY) == other.id


def test_only_a_block_team_of_the_community_gets_territory(session: Session) -> None:
    world = make_world(session, firms=0)

    with pytest.raises(Invalid):
        catalogue.set_territory(session, world.buildings[0].id, world.line.id, TODAY, actor=SYSTEM)
    with pytest.raises(NotFound):
        catalogue.set_territory(
            session, world.buildings[0].id, world.block.id, TODAY, actor=actor_of(make_community(session))
        )


def test_line_teams_are_found_by_speciality(session: Session) -> None:
    world = make_world(session, firms=0)

    assert catalogue.line_team(session, world.community.id, "drainage") == world.line.id
    assert catalogue.line_team(session, world.community.id, "lift") is None


def test_a_papers_end_is_told_once_before_and_once_after(session: Session) -> None:
    world = make_world(session, firms=0)
    it = firm(session, world.district, world.community, [], papers_until=TODAY + timedelta(days=20))

    def told(day: date) -> list[int]:
        papers = [
            one
            for one in catalogue.papers_to_tell(session, day, warning_days=30, organisation_id=world.district.id)
            if one.performer_id == it.id
        ]
        catalogue.papers_told(session, papers)
        return [one.days_left for one in papers]

    assert told(TODAY - timedelta(days=11)) == []
    assert told(TODAY) == [20]
    assert told(TODAY + timedelta(days=1)) == []
    assert told(TODAY + timedelta(days=20)) == []
    assert told(TODAY + timedelta(days=25)) == [-5]
    assert told(TODAY + timedelta(days=26)) == []


def test_a_renewed_paper_is_settled_and_not_told_again(session: Session) -> None:
    world = make_world(session, firms=0)
    it = firm(session, world.district, world.community, [], papers_until=TODAY + timedelta(days=3))
    mine = [
        one
        for one in catalogue.papers_to_tell(session, TODAY, warning_days=30, organisation_id=world.district.id)
        if one.performer_id == it.id
    ]
    catalogue.papers_told(session, mine)
    renewal = catalogue.NewPaper(kind="business_licence", number="new", valid_from=TODAY, valid_until=date(2030, 1, 1))
    catalogue.add_paper(session, it.id, renewal, actor=SYSTEM)

    settled = [one for one in catalogue.papers_settled(session, TODAY) if one.performer_id == it.id]

    assert [one.subject for one in settled] == [mine[0].subject]
    assert catalogue.papers_to_tell(session, TODAY, warning_days=30, organisation_id=world.district.id) == []
    with pytest.raises(catalogue.PaperKnown):
        catalogue.add_paper(session, it.id, renewal, actor=SYSTEM)
    assert catalogue.papers_settled(session, TODAY) == []


def test_papers_are_valid_when_every_kind_held_is(session: Session) -> None:
    world = make_world(session, firms=1)
    it = world.firms[0]
    now = actor_now()
    assert catalogue.papers_valid(session, it.id, now=now)
    session.add(
        Paper(performer_id=it.id, kind="x", number="1", valid_from=date(2020, 1, 1), valid_until=date(2021, 1, 1))
    )
    session.flush()

    assert not catalogue.papers_valid(session, it.id, now=now)
    assert not catalogue.papers_valid(session, 999_999_999, now=now)


def test_the_reach_bounds_lists_and_changes_of_performers(session: Session) -> None:
    world, other = make_world(session, firms=2), make_world(session, firms=1)
    scope = Scope(organisations=frozenset({world.district.id}), communities=frozenset({world.community.id}))
    mine = actor_of(make_community(session, world.district.id))

    begin(session, scope)
    seen = session.scalars(text("SELECT id FROM performers")).all()
    assert {one.id for one in world.firms} <= set(seen)
    assert other.firms[0].id not in seen
    assert {one.id for one in catalogue.list_performers(session, actor=mine)} == {one.id for one in world.firms}
    with pytest.raises(NotFound):
        catalogue.find_performer(session, other.firms[0].id, actor=mine)
    with pytest.raises(NotFound):
        catalogue.retire(session, other.firms[0].id, actor=mine)


def actor_now() -> datetime:
    """Noon of the day of these tests in Shanghai."""
    return datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
