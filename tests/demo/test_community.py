"""The synthetic community: exact counts, valid numbers, no orphan, the same for the same seed."""

import os
import subprocess
import sys
from collections import Counter
from datetime import date
from hashlib import sha256
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.demo import Community, make_community
from dispatch.demo.identifiers import PHONE_BLOCKS
from dispatch.rules.access.roles import Role
from dispatch.rules.grid.identity import check_resident_id, check_uscc
from dispatch.rules.grid.phone import normalise_phone

DAY = date(2026, 11, 23)
HOUSE = Path(__file__).parents[2]
DAYS_OF_A_YEAR = 365.2425


def digest(community: Community) -> str:
    return sha256(repr(community).encode()).hexdigest()


def test_the_same_seed_gives_the_same_community_byte_for_byte(community: Community) -> None:
    again = make_community(DAY)
    assert again == community
    assert digest(again) == digest(community)


def test_the_order_of_pythons_sets_does_not_reach_the_community(community: Community) -> None:
    program = (
        "from datetime import date; from hashlib import sha256; from dispatch.demo import make_community;"
        f"print(sha256(repr(make_community(date({DAY.year}, {DAY.month}, {DAY.day}))).encode()).hexdigest())"
    )
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=HOUSE,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == digest(community)


def test_another_seed_gives_another_community(community: Community) -> None:
    assert digest(make_community(DAY, seed=1)) != digest(community)


def test_the_grid_has_exactly_5_areas_132_buildings_610_stairwells(community: Community) -> None:
    grid = community.grid
    assert (len(grid.areas), len(grid.buildings), len(grid.stairwells)) == (5, 132, 610)


def test_the_grid_has_no_orphan_no_gap_and_no_two_of_one_address(community: Community) -> None:
    grid = community.grid
    assert {one.area_code for one in grid.buildings} == {area.code for area in grid.areas}
    assert {one.building_code for one in grid.stairwells} == {one.code for one in grid.buildings}
    assert len({one.address for one in grid.buildings}) == 132
    assert len({one.address for one in grid.stairwells}) == 610
    assert len({one.code for one in grid.stairwells}) == 610
    numbered = [(one.estate, one.number) for one in grid.buildings if one.estate]
    assert len(set(numbered)) == len(numbered)


def test_buildings_stand_inside_their_areas_near_the_middle_of_the_town(community: Community) -> None:
    outlines = {area.code: area.outline for area in community.grid.areas}
    for one in community.grid.buildings:
        (south, west), _, (north, east), _ = outlines[one.area_code]
        assert south < one.latitude < north
        assert west < one.longitude < east
        assert abs(one.latitude - 28.455) < 0.01
        assert abs(one.longitude - 119.915) < 0.01


def test_areas_do_not_overlap(community: Community) -> None:
    boxes = [(area.outline[0], area.outline[2]) for area in community.grid.areas]
    for place, ((south, west), (north, east)) in enumerate(boxes):
        for (other_south, other_west), (other_north, other_east) in boxes[place + 1 :]:
            apart = north < other_south or other_north < south or east < other_west or other_east < west
            assert apart


def test_nicknames_are_unique(community: Community) -> None:
    names = [name for one in community.grid.buildings for name in one.nicknames]
    assert "老供销社" in names
    assert len(set(names)) == len(names) >= 15


def test_there_are_10_block_teams_two_per_area_and_24_line_teams(community: Community) -> None:
    assert Counter(team.kind for team in community.teams) == {"block": 10, "line": 24}
    per_area = Counter(team.area_code for team in community.teams if team.kind == "block")
    assert set(per_area.values()) == {2}


def test_each_building_belongs_to_exactly_one_block_team_of_its_area(community: Community) -> None:
    area_of_team = {team.code: team.area_code for team in community.teams}
    area_of_building = {one.code: one.area_code for one in community.grid.buildings}
    assert Counter(one.building_code for one in community.territories) == dict.fromkeys(area_of_building, 1)
    for territory in community.territories:
        assert area_of_team[territory.team_code] == area_of_building[territory.building_code]
    assert len({territory.team_code for territory in community.territories}) == 10


def test_every_post_is_held_and_the_holder_lives_in_the_cell(community: Community) -> None:
    counts = Counter(post.kind for post in community.posts)
    assert counts["area_chief"] == 5
    assert counts["group_leader"] == 132
    assert counts["stairwell_leader"] == 610
    assert counts["partner_liaison"] >= 5
    assert counts["stairwell_liaison"] > 0
    stairwell_of = {one.code: one.stairwell_code for one in community.register.households}
    home = {one.code: stairwell_of[one.household_code] for one in community.register.residents}
    for post in community.posts:
        if post.kind == "area_chief":
            assert post.login in {member.login for member in community.staff}
        elif post.kind != "partner_liaison":
            assert home[post.resident_code or ""].startswith(post.scope_code)
        assert post.from_date < DAY


def test_each_area_has_a_liaison_of_a_partner_unit(community: Community) -> None:
    liaisons = [post for post in community.posts if post.kind == "partner_liaison"]
    units = {one.code for one in community.establishments if one.kind == "unit"}
    assert {post.scope_code for post in liaisons} == {area.code for area in community.grid.areas}
    assert all(post.unit_code in units for post in liaisons)


def test_there_are_about_4000_residents_in_1500_households(community: Community) -> None:
    register = community.register
    assert len(register.households) == 1_500
    assert abs(len(register.residents) - 4_000) <= 200
    rooms = {one.code: set(one.rooms) for one in community.grid.stairwells}
    assert all(one.room in rooms[one.stairwell_code] for one in register.households)
    assert len({(one.stairwell_code, one.room) for one in register.households}) == 1_500
    assert {one.household_code for one in register.residents} == {one.code for one in register.households}


def test_at_least_120_elders_over_70_live_alone(community: Community) -> None:
    per_household = Counter(one.household_code for one in community.register.residents)
    alone = [one for one in community.register.residents if one.lives_alone]
    assert len(alone) >= 120
    assert all(per_household[one.household_code] == 1 for one in alone)
    assert all((DAY - one.birth_date).days / DAYS_OF_A_YEAR > 70 for one in alone)


def test_identity_numbers_are_valid_and_tell_the_birth_date_and_sex(community: Community) -> None:
    numbers = [one.id_number for one in community.register.residents]
    assert len(set(numbers)) == len(numbers)
    for one in community.register.residents:
        checked = check_resident_id(one.id_number)
        assert (checked.birth_date, checked.sex) == (one.birth_date, one.sex)
        assert one.id_number.startswith("331102")


def test_credit_codes_are_valid_and_each_is_given_once(community: Community) -> None:
    codes = [one.uscc for one in community.establishments] + [firm.uscc or "" for firm in community.firms]
    assert [check_uscc(code) for code in codes] == codes
    assert len(set(codes)) == len(codes) == 160


def test_telephones_are_valid_unique_and_from_the_stated_block(community: Community) -> None:
    residents = [one.phone for one in community.register.residents if one.phone]
    others = [one.phone for one in community.establishments] + [firm.phone for firm in community.firms]
    staff = [member.phone for member in community.staff]
    numbers = residents + others + staff
    assert len(set(numbers)) == len(numbers)
    assert len(residents) > 0.8 * len(community.register.residents)
    assert all(number[:5] in PHONE_BLOCKS.values() for number in numbers)
    assert all(normalise_phone(number) == f"+86{number}" for number in numbers)


def test_there_are_40_units_and_56_merchants(community: Community) -> None:
    assert Counter(one.kind for one in community.establishments) == {"unit": 40, "merchant": 56}
    buildings = {one.code for one in community.grid.buildings}
    assert all(one.building_code in buildings for one in community.establishments)


def test_there_are_staff_of_every_role_each_at_an_organisation(community: Community) -> None:
    counts = Counter(member.role for member in community.staff)
    assert set(counts) == set(Role)
    assert counts[Role.TEAM_HEAD] == 10
    assert counts[Role.AREA_CHIEF] == 5
    assert (counts[Role.WELFARE], counts[Role.CENTRE]) == (2, 2)
    assert {member.organisation_code for member in community.staff} <= {one.code for one in community.organisations}
    assert len({member.login for member in community.staff}) == len(community.staff)


def test_passwords_are_long_and_each_is_used_once(community: Community) -> None:
    passwords = [member.password for member in community.staff]
    assert len(set(passwords)) == len(passwords)
    assert all(len(word) >= 14 for word in passwords)


def test_the_tree_of_organisations_has_parents_before_children(community: Community) -> None:
    seen: set[str | None] = {None}
    for one in community.organisations:
        assert one.parent_code in seen
        seen.add(one.code)
    assert [one.kind for one in community.organisations].count("community") == 1


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**9), today=st.dates(date(2024, 1, 1), date(2032, 12, 31)))
def test_any_seed_and_day_keep_the_counts_and_valid_numbers(seed: int, today: date) -> None:
    community = make_community(today, seed)
    assert len(community.grid.stairwells) == 610
    assert len(community.register.residents) == 4_010
    assert all(one.birth_date <= today for one in community.register.residents)
    for one in community.register.residents[:50]:
        check_resident_id(one.id_number)
    for firm in community.firms:
        check_uscc(firm.uscc or "")
