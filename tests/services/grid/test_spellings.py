"""The addresses of a synthetic day of calls against the synthetic grid: none lost, none wrong."""

from datetime import date
from random import Random

from sqlalchemy.orm import Session

from dispatch.demo.calls import DraftCall, draft_calls
from dispatch.demo.community import Community
from dispatch.demo.community import make_community as make_demo
from dispatch.rules.access.roles import SYSTEM
from dispatch.services import grid
from tests.factories.grid import NOW, make_district

CALLS = 600
EXACT_SHARE = 0.7
"""Most calls say their stairwell; those with a slip in the name get it as a candidate to confirm."""


def enter(session: Session, demo: Community) -> tuple[int, dict[str, int]]:
    """Enter the synthetic grid; returns the community's id, and the ids of cells by their codes."""
    community = grid.create_organisation(
        session,
        kind="community",
        code="houqing-spellings",
        name="后庆社区",
        parent_id=make_district(session),
        actor=SYSTEM,
        now=NOW,
    )
    near = grid.Principle.NEAR
    areas = [grid.AreaDraft(one.number, one.name, one.latitude, one.longitude) for one in demo.grid.areas]
    made = grid.create_areas(session, community.id, areas, principle=near, actor=SYSTEM)
    ids = dict(zip((one.code for one in demo.grid.areas), made, strict=True))
    buildings = [
        grid.BuildingDraft(
            area_id=ids[one.area_code],
            number=one.number,
            address=one.address,
            latitude=one.latitude,
            longitude=one.longitude,
            estate=one.estate or None,
            road=one.road,
            road_number=one.road_number,
            nicknames=one.nicknames,
        )
        for one in demo.grid.buildings
    ]
    made = grid.create_buildings(session, community.id, buildings, principle=near, actor=SYSTEM)
    ids |= zip((one.code for one in demo.grid.buildings), made, strict=True)
    stairwells = [grid.StairwellDraft(ids[one.building_code], one.number, one.code) for one in demo.grid.stairwells]
    made = grid.create_stairwells(session, community.id, stairwells, principle=near, actor=SYSTEM)
    ids |= zip((one.code for one in demo.grid.stairwells), made, strict=True)
    return community.id, ids


def is_right(place: grid.Place, call: DraftCall, ids: dict[str, int], building: int) -> bool:
    """Whether what was found is where the caller is, however exact."""
    found = {
        "stairwell": (place.stairwell_id, ids[call.stairwell_code]),
        "building": (place.building_id, building),
        "area": (place.area_id, ids[call.area_code]),
        "unresolved": (None, None),
    }
    one, other = found[place.outcome]
    return one == other


def test_a_days_addresses_are_found_and_none_leads_to_a_wrong_door(session: Session) -> None:
    demo = make_demo(date(2026, 11, 23))
    community, ids = enter(session, demo)
    building_of = {one.code: ids[one.building_code] for one in demo.grid.stairwells}
    wrong: list[str] = []
    lost: list[str] = []
    exact = 0

    for call in draft_calls(Random(7), CALLS, demo):  # noqa: S311 - the same calls every time
        place = grid.resolve_place(session, call.address_text, communities=frozenset({community}))
        if not is_right(place, call, ids, building_of[call.stairwell_code]):
            wrong.append(call.address_text)
        if call.place_level != "stairwell":
            continue
        exact += place.outcome == "stairwell"
        offered = [one.stairwell_id for one in place.candidates]
        if place.outcome != "stairwell" and ids[call.stairwell_code] not in offered:
            lost.append(f"{call.address_style}: {call.address_text} -> {place.outcome}")

    assert wrong == []
    assert lost == []
    assert exact > CALLS * EXACT_SHARE
