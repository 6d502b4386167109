"""Drafted calls: deterministic, with the truth beside the text, and every sort of trouble among them."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.demo import Community
from dispatch.demo.calls import DraftCall, draft_calls, is_outside_hours
from dispatch.demo.identifiers import PHONE_BLOCKS
from dispatch.demo.phrases import PHRASES, VAGUE_PLACES
from dispatch.demo.spellings import STYLES, Door, digits_in_words, number_in_words
from dispatch.rules.grid.phone import normalise_phone


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - a day that is the same every time is the point


@pytest.fixture(scope="module")
def day(community: Community) -> tuple[DraftCall, ...]:
    return draft_calls(seeded(7), 300, community)


def test_the_same_seed_drafts_the_same_calls(community: Community, day: tuple[DraftCall, ...]) -> None:
    assert draft_calls(seeded(7), 300, community) == day
    assert draft_calls(seeded(8), 300, community) != day


def test_calls_are_numbered_in_the_order_of_the_day(day: tuple[DraftCall, ...]) -> None:
    assert [call.number for call in day] == list(range(1, 301))
    assert [call.minute for call in day] == sorted(call.minute for call in day)


def test_every_hotline_kind_has_sentences_and_only_those(community: Community) -> None:
    hotline = {kind.code for kind in community.services if "hotline" in kind.offered}
    assert set(PHRASES) == hotline
    assert all(len(set(said)) == len(said) >= 3 for _, said in PHRASES.values())


def test_the_day_holds_all_that_a_desk_has_to_cope_with(day: tuple[DraftCall, ...]) -> None:
    levels = Counter(call.place_level for call in day)
    assert set(levels) == {"stairwell", "caller", "building", "area", "nothing"}
    assert levels["nothing"] == 15
    assert sum(call.duplicate_of is not None for call in day) == 18
    assert sum(call.is_emergency for call in day) >= 3
    assert sum(call.is_outside_hours for call in day) >= 30
    assert len({call.kind_code for call in day}) >= 28
    assert len({call.address_style for call in day}) >= 14
    assert any(call.caller_phone is None for call in day)


def test_a_duplicate_follows_its_original_at_the_same_place_and_kind(day: tuple[DraftCall, ...]) -> None:
    by_number = {call.number: call for call in day}
    for call in day:
        if call.duplicate_of is not None:
            original = by_number[call.duplicate_of]
            assert original.number < call.number
            assert original.duplicate_of is None
            assert (original.stairwell_code, original.kind_code) == (call.stairwell_code, call.kind_code)


def test_the_truth_names_cells_and_residents_that_exist(community: Community, day: tuple[DraftCall, ...]) -> None:
    buildings = {one.code: one for one in community.grid.buildings}
    stairwells = {one.code: one for one in community.grid.stairwells}
    residents = {one.code: one for one in community.register.residents}
    for call in day:
        assert buildings[stairwells[call.stairwell_code].building_code].area_code == call.area_code
        if call.resident_code is not None:
            assert residents[call.resident_code].phone == call.caller_phone


def test_who_leaves_out_the_estate_is_known_by_phone(day: tuple[DraftCall, ...]) -> None:
    assert all(call.resident_code for call in day if call.place_level == "caller")


def test_an_address_that_cannot_be_found_names_no_place_of_the_grid(community: Community) -> None:
    names = {one.estate for one in community.grid.buildings if one.estate}
    names |= {one.road for one in community.grid.buildings}
    names |= {name for one in community.grid.buildings for name in one.nicknames}
    assert not [text for text in VAGUE_PLACES if any(name in text for name in names)]


def test_callers_phones_are_valid_and_from_the_stated_block(day: tuple[DraftCall, ...]) -> None:
    phones = [call.caller_phone for call in day if call.caller_phone]
    assert all(phone[:5] in {PHONE_BLOCKS["resident"], PHONE_BLOCKS["stranger"]} for phone in phones)
    assert all(normalise_phone(phone) == f"+86{phone}" for phone in phones)


def test_answers_are_values_of_the_kinds_questions(community: Community, day: tuple[DraftCall, ...]) -> None:
    kinds = {kind.code: kind for kind in community.services}
    for call in day:
        values = {one.code: dict(one.values) for one in kinds[call.kind_code].questions}
        assert all(key in values[code] for code, key in call.answers)


def test_stairwell_spellings_are_all_different_for_a_door_of_an_estate(community: Community) -> None:
    building = next(one for one in community.grid.buildings if one.estate == "后庆小区" and one.number == "12")
    stairwell = next(one for one in community.grid.stairwells if one.building_code == building.code)
    door = Door(building, stairwell, "501")
    texts = {name: style(door) for name, style in STYLES.items()}
    assert len(set(texts.values())) == len(texts)
    assert texts["in_words"] == "后庆小区十二幢一单元五零一"
    assert texts["colloquial"] == "后庆小区十二号楼一单元501"
    assert texts["by_road"] == "大洋路128号12幢1单元501"


@pytest.mark.parametrize(
    ("number", "words"),
    [(3, "三"), (10, "十"), (12, "十二"), (20, "二十"), (57, "五十七"), (110, "一百一十"), (205, "二百零五")],
)
def test_numbers_are_said_as_people_say_them(number: int, words: str) -> None:
    assert number_in_words(number) == words


def test_rooms_are_read_digit_by_digit() -> None:
    assert digits_in_words("1002") == "一零零二"


@pytest.mark.parametrize(
    ("minute", "outside"), [(509, True), (510, False), (719, False), (720, True), (840, False), (1_050, True)]
)
def test_working_periods_begin_inside_and_end_outside(minute: int, outside: bool) -> None:  # noqa: FBT001
    assert is_outside_hours(minute) is outside


def test_a_day_cannot_have_fewer_than_no_calls(community: Community) -> None:
    with pytest.raises(ValueError, match="fewer"):
        draft_calls(seeded(1), -1, community)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**9), count=st.integers(5, 80))
def test_from_five_calls_on_there_is_one_of_each_trouble(community: Community, seed: int, count: int) -> None:
    calls = draft_calls(seeded(seed), count, community)
    assert len(calls) == count
    assert any(call.place_level == "nothing" for call in calls)
    assert any(call.duplicate_of is not None for call in calls)
    assert any(call.is_emergency for call in calls)
    assert any(call.is_outside_hours for call in calls)
