"""Addresses as people say them become a stairwell, building or area; what is not certain stays a question."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.rules.access.roles import SYSTEM, Scope
from dispatch.services import grid
from dispatch.transaction import begin
from tests.factories.grid import make_community
from tests.statements import statements


@pytest.mark.parametrize(
    "said",
    ["后庆小区3幢2单元501", "后庆小区三号楼二单元501室", "大洋路128号后庆小区3-2-501", "后庆3幢2单元501"],
)
def test_the_many_ways_to_say_one_stairwell_find_it(session: Session, said: str) -> None:
    community = make_community(session)

    place = grid.resolve_place(session, said, communities=frozenset({community.id}))

    assert (place.outcome, place.stairwell_id, place.room) == ("stairwell", community.stairwells[1], "501")
    assert (place.community_id, place.area_id) == (community.id, community.areas[0])
    assert place.latitude == pytest.approx(28.4501)


def test_a_building_without_its_unit_is_a_building_with_its_stairwells_to_choose(session: Session) -> None:
    community = make_community(session)

    place = grid.resolve_place(session, "后庆小区3幢", communities=frozenset({community.id}))

    assert (place.outcome, place.building_id, place.stairwell_id) == (
        "building",
        community.buildings[0],
        None,
    )
    assert [one.stairwell_id for one in place.candidates] == [*community.stairwells[:2]]


def test_the_only_stairwell_of_a_building_needs_no_unit(session: Session) -> None:
    community = make_community(session)

    place = grid.resolve_place(session, "大洋路66号", communities=frozenset({community.id}))

    assert place.stairwell_id == community.stairwells[3]


def test_a_nickname_is_its_building(session: Session) -> None:
    community = make_community(session)

    place = grid.resolve_place(session, "老供销社2单元", communities=frozenset({community.id}))

    assert place.stairwell_id == community.stairwells[1]


def test_an_estate_alone_is_the_area_that_all_of_it_lies_in(session: Session) -> None:
    community = make_community(session)

    place = grid.resolve_place(session, "后庆小区里面", communities=frozenset({community.id}))

    assert (place.outcome, place.area_id) == ("area", community.areas[0])
    assert [one.building_id for one in place.candidates] == [*community.buildings[:2]]


def test_a_building_that_the_estate_has_not_got_is_never_guessed(session: Session) -> None:
    community = make_community(session)

    place = grid.resolve_place(session, "后庆小区9幢", communities=frozenset({community.id}))

    assert place.outcome == "unresolved"
    assert [one.building_id for one in place.candidates] == [*community.buildings[:2]]


def test_a_number_without_a_name_in_several_communities_is_a_question(session: Session) -> None:
    one = make_community(session)
    other = make_community(session, one.district, estate="丽阳小区", road="丽阳街")

    place = grid.resolve_place(session, "3幢2单元", communities=frozenset({one.id, other.id}))

    assert place.outcome == "unresolved"
    assert {candidate.stairwell_id for candidate in place.candidates} == {
        one.stairwells[1],
        other.stairwells[1],
    }


def test_a_number_without_a_name_is_certain_where_only_one_building_can_be_meant(session: Session) -> None:
    one = make_community(session)

    place = grid.resolve_place(session, "3幢2单元", communities=frozenset({one.id}))

    assert place.stairwell_id == one.stairwells[1]


def test_one_name_in_two_communities_is_a_question(session: Session) -> None:
    one = make_community(session)
    other = make_community(session, one.district)

    place = grid.resolve_place(session, "后庆小区3幢2单元", communities=frozenset({one.id, other.id}))

    assert place.outcome == "unresolved"
    assert len(place.candidates) == 2


def test_a_name_with_a_slip_is_only_a_candidate(session: Session) -> None:
    community = make_community(session)

    place = grid.resolve_place(session, "后情小区3幢2单元", communities=frozenset({community.id}))

    assert place.outcome == "unresolved"
    assert [one.stairwell_id for one in place.candidates] == [community.stairwells[1]]


def test_a_landmark_is_not_the_place_itself(session: Session) -> None:
    community = make_community(session)

    place = grid.resolve_place(session, "老供销社后面", communities=frozenset({community.id}))

    assert place.outcome == "unresolved"
    assert [one.building_id for one in place.candidates] == [community.buildings[0]]


@pytest.mark.parametrize("said", ["", "不知道在哪里", "\x00", "🏠", "一" * 4000])
def test_what_is_no_address_is_unresolved_and_no_error(session: Session, said: str) -> None:
    community = make_community(session)

    assert grid.resolve_place(session, said, communities=frozenset({community.id})).outcome == "unresolved"


def test_other_communities_are_never_found(session: Session) -> None:
    make_community(session)
    other = make_community(session, estate="丽阳小区", road="丽阳街")

    place = grid.resolve_place(session, "后庆小区3幢2单元", communities=frozenset({other.id}))

    assert place.outcome == "unresolved"
    assert all(one.community_id == other.id for one in place.candidates)


def test_an_explicit_id_is_taken_and_an_unknown_one_names_its_field(session: Session) -> None:
    one = make_community(session)
    other = make_community(session, one.district)
    here = frozenset({one.id})

    place = grid.resolve_place(session, "", communities=here, stairwell_id=one.stairwells[0], room="301")
    assert (place.outcome, place.room) == ("stairwell", "301")
    assert grid.resolve_place(session, "", communities=here, area_id=one.areas[1]).outcome == "area"
    with pytest.raises(Invalid) as refused:
        grid.resolve_place(session, "", communities=here, stairwell_id=other.stairwells[0])
    assert refused.value.field == "stairwell_id"
    with pytest.raises(Invalid) as refused:
        grid.resolve_place(session, "", communities=None, building_id=999_999_999)
    assert refused.value.field == "building_id"


def test_names_are_read_once_and_again_after_a_change_of_the_grid(session: Session) -> None:
    community = make_community(session)
    here = frozenset({community.id})
    grid.resolve_place(session, "后庆小区3幢2单元", communities=here)

    with statements(session) as sent:
        grid.resolve_place(session, "后庆小区3幢2单元", communities=here)
    assert len(sent) == 1

    grid.create_place_names(
        session,
        community.id,
        [grid.PlaceNameDraft("红房子", "nickname", building_id=community.buildings[1])],
        actor=SYSTEM,
    )
    assert grid.resolve_place(session, "红房子", communities=here).building_id == community.buildings[1]


def test_who_sees_nothing_of_a_community_leaves_no_empty_register_of_it_for_others(session: Session) -> None:
    community = make_community(session)
    here = frozenset({community.id})
    begin(session, Scope(communities=frozenset({community.id + 1})))
    assert grid.resolve_place(session, "后庆小区3幢2单元", communities=here).outcome == "unresolved"
    begin(session, Scope(communities=here))
    assert grid.resolve_place(session, "后庆小区3幢2单元", communities=here).outcome == "stairwell"


def test_a_new_building_is_found_at_once_and_its_neighbours_are_not_read_again(session: Session) -> None:
    one = make_community(session)
    other = make_community(session, one.district, estate="丽阳小区", road="丽阳街")
    both = frozenset({one.id, other.id})
    assert grid.resolve_place(session, "后庆小区9幢", communities=both).outcome == "unresolved"
    draft = grid.BuildingDraft(one.areas[0], "9", "后庆小区9幢", 28.45, 119.9, estate="后庆小区")
    grid.create_buildings(session, one.id, [draft], principle=grid.Principle.NEAR, actor=SYSTEM)
    with statements(session) as sent:
        assert grid.resolve_place(session, "后庆小区9幢", communities=both).outcome == "building"
    assert len(sent) == 4


def test_a_hidden_community_is_found_only_alone(session: Session) -> None:
    community = make_community(session)
    session.execute(text("UPDATE organisations SET is_hidden = true WHERE id = :id"), {"id": community.id})
    other = make_community(session, community.district, estate="丽阳小区", road="丽阳街")

    both = grid.resolve_place(session, "后庆小区5幢", communities=frozenset({community.id, other.id}))
    alone = grid.resolve_place(session, "后庆小区5幢", communities=frozenset({community.id}))

    assert both.outcome == "unresolved"
    assert alone.outcome == "stairwell"


def test_the_database_hides_other_communities_from_a_plain_select(session: Session) -> None:
    one = make_community(session)
    other = make_community(session, one.district)
    begin(session, Scope(communities=frozenset({one.id})))

    seen = {*session.scalars(text("SELECT DISTINCT community_id FROM stairwells"))}

    assert one.id in seen
    assert other.id not in seen
