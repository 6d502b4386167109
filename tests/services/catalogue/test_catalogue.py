"""Kinds are found as they are typed; territories are exact; papers are told of once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from config.seed import service_kinds
from dispatch.errors import Invalid, NotFound
from dispatch.models.catalogue import Paper
from dispatch.rules.access.roles import SYSTEM, Scope
from dispatch.services import catalogue
from dispatch.transaction import begin
from tests.factories.grid import actor_of, make_community, make_district
from tests.factories.world import World, firm, make_world, team
from tests.statements import statements

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
    today = (TODAY, TODAY)
    assert catalogue.papers_hold(session, it, world.plumbing, today)
    session.add(
        Paper(performer_id=it.id, kind="x", number="1", valid_from=date(2020, 1, 1), valid_until=date(2021, 1, 1))
    )
    session.flush()

    assert not catalogue.papers_hold(session, it, world.plumbing, today)


def test_a_kind_may_need_a_paper_that_a_firm_does_not_hold(session: Session) -> None:
    world = make_world(session, firms=1)
    world.plumbing.papers = ["电工证"]
    it = world.firms[0]
    today = (TODAY, TODAY)

    assert not catalogue.papers_hold(session, it, world.plumbing, today)
    assert catalogue.papers_hold(session, it, world.gossip, today)


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
        catalogue.retire(session, other.firms[0].id, reason="退出", actor=mine, now=actor_now())


def new_firm(world: World, **changes: Any) -> catalogue.NewPerformer:
    """A locksmith of the world's district."""
    values: dict[str, Any] = {
        "uid": uuid4(),
        "organisation_id": world.district.id,
        "community_id": None,
        "kind": "firm",
        "code": "F001",
        "name": "金钥锁业",
        "uscc": None,
        "team_id": None,
        "user_id": None,
        "phone": "+8613800005678",
        "email": None,
        "webhook_url": None,
        "webhook_secret": None,
        "channel": "email",
        "latitude": 28.45,
        "longitude": 119.91,
        "capacity": 3,
        "shifts": catalogue.shifts_of(["1-5 08:00-12:00", "1-5 13:00-18:00", "6-7 09:00-12:00"]),
        "satisfaction_permille": 900,
        "service_codes": ("drain_clearing",),
        "areas": (world.area.id,),
        "papers": (),
    }
    return catalogue.NewPerformer(**(values | changes))


def test_two_districts_may_use_one_code_and_each_firm_serves_the_kinds_of_its_own(session: Session) -> None:
    one, other = make_world(session, firms=0), make_world(session, firms=0)

    first = catalogue.create_performer(session, one.community.id, new_firm(one), actor=SYSTEM)
    second = catalogue.create_performer(session, other.community.id, new_firm(other), actor=SYSTEM)

    served = dict(
        session.execute(
            text("SELECT performer_id, service_id FROM performer_services WHERE performer_id = ANY (:ids)"),
            {"ids": [first, second]},
        ).all()
    )
    assert served == {first: one.plumbing.id, second: other.plumbing.id}
    with pytest.raises(catalogue.PerformerKnown):
        catalogue.create_performer(session, one.community.id, new_firm(one, uid=uuid4()), actor=SYSTEM)


@pytest.mark.parametrize("hours", ["1-5", "1-8 08:00-12:00", "1-5 8点-12点"])
def test_shifts_of_another_shape_are_refused(hours: str) -> None:
    with pytest.raises(Invalid):
        catalogue.shifts_of([hours])


def test_stored_shifts_know_only_the_days_of_the_week(session: Session) -> None:
    world = make_world(session, firms=1)

    with pytest.raises(Invalid) as refused:
        catalogue.set_shifts(session, world.firms[0].id, {"0": ["08:00-12:00"]}, actor=SYSTEM)

    assert refused.value.field == "shifts"


def test_services_capacity_and_cover_refuse_what_is_not_there(session: Session) -> None:
    world, other = make_world(session, firms=1), make_world(session, firms=0)
    it = world.firms[0].id

    for change, field in (
        (lambda: catalogue.set_capacity(session, it, 0, actor=SYSTEM), "capacity"),
        (lambda: catalogue.set_services(session, it, [other.plumbing.id], actor=SYSTEM), "service_ids"),
        (
            lambda: catalogue.set_coverage(session, it, world.community.id, [(other.area.id, None)], actor=SYSTEM),
            "area_id",
        ),
    ):
        with pytest.raises(Invalid) as refused:
            change()
        assert refused.value.field == field


def actor_now() -> datetime:
    """Noon of the day of these tests in Shanghai."""
    return datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
