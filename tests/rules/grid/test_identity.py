"""Identity numbers: what GB 11643 and GB 32100 accept and refuse, and how they are masked."""

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.grid import identity

RESIDENT_ID_VALID = ["11010519491231002X", "440524188001010014", "331102195001010015", "331102195602290024"]
RESIDENT_ID_INVALID = ["331102200102300015", "331102194902290013"]
USCC_VALID = ["91350100M000100Y43", "52331102MJ8800001G", "54331102MJ960001X3"]
USCC_WRONG_INNER_DIGIT = ["5433110235000001AR"]


@st.composite
def resident_ids(draw: st.DrawFn) -> str:
    area = draw(st.sampled_from(["331102", "110105", "330106", "331121"]))
    birth = draw(st.dates(date(1880, 1, 1), date(2030, 12, 31)))
    first = f"{area}{birth:%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return first + identity.resident_id_check_character(first)


@st.composite
def unified_codes(draw: st.DrawFn) -> str:
    characters = st.sampled_from(identity.UNIFIED_CODE_CHARACTERS)
    organisation = "".join(draw(st.lists(characters, min_size=8, max_size=8)))
    organisation += identity.organisation_code_check_character(organisation)
    first = draw(st.sampled_from(["91", "52", "54", "92"])) + "331102" + organisation
    return first + identity.unified_code_check_character(first)


@pytest.mark.parametrize("number", RESIDENT_ID_VALID)
def test_a_valid_resident_number_is_accepted_as_it_is(number: str) -> None:
    assert identity.check_resident_id(number).value == number


@pytest.mark.parametrize("number", RESIDENT_ID_INVALID)
def test_a_resident_number_with_an_impossible_birth_date_is_refused(number: str) -> None:
    with pytest.raises(Invalid, match="出生日期"):
        identity.check_resident_id(number)


def test_a_resident_number_tells_birth_date_and_sex() -> None:
    found = identity.check_resident_id("331102195602290024")
    assert (found.birth_date, found.sex, found.area_code_known) == (date(1956, 2, 29), "female", True)
    assert identity.check_resident_id("331102195001010015").sex == "male"


def test_spaces_full_width_digits_and_a_small_x_are_put_right() -> None:
    assert identity.check_resident_id(" 110105 1949-1231 002x").value == "11010519491231002X"


@pytest.mark.parametrize("number", ["110105491231002", "331102 560229 002", "１１０１０５４９１２３１００２"])
def test_an_old_number_of_fifteen_digits_is_refused_with_what_to_look_at(number: str) -> None:
    with pytest.raises(Invalid) as refused:
        identity.check_resident_id(number)
    assert refused.value.field == "resident_id"
    assert "现在的18位身份证" in refused.value.message


def test_an_unknown_area_code_is_only_a_warning() -> None:
    first = "99999919500101001"
    found = identity.check_resident_id(first + identity.resident_id_check_character(first))
    assert found.area_code_known is False


def test_a_county_code_that_lishui_never_had_is_a_warning() -> None:
    first = "33119919500101001"
    assert not identity.check_resident_id(first + identity.resident_id_check_character(first)).area_code_known


@pytest.mark.parametrize("text", ["", "33110219500101001", "3311021950010100155", "33110219500101001A", "X" * 18])
def test_a_resident_number_of_the_wrong_shape_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        identity.check_resident_id(text)


@given(resident_ids(), st.integers(0, 17), st.integers(1, 9))
def test_any_single_changed_digit_of_a_resident_number_is_found(number: str, place: int, shift: int) -> None:
    assert identity.check_resident_id(number).value == number
    old = number[place]
    new = "5" if old == "X" else str((int(old) + shift) % 10)
    with pytest.raises(Invalid):
        identity.check_resident_id(number[:place] + new + number[place + 1 :])


@pytest.mark.parametrize("code", USCC_VALID)
def test_a_valid_unified_code_is_accepted_as_it_is(code: str) -> None:
    assert identity.check_uscc(code) == code
    assert identity.check_uscc(f" {code[:8].lower()} {code[8:]} ") == code


@pytest.mark.parametrize("code", USCC_WRONG_INNER_DIGIT)
def test_a_unified_code_with_a_wrong_inner_digit_is_refused_even_when_the_outer_one_fits(code: str) -> None:
    assert identity.unified_code_check_character(code[:-1]) == code[-1]
    with pytest.raises(Invalid, match="组织机构代码"):
        identity.check_uscc(code)


@pytest.mark.parametrize("text", ["", "91350100M000100Y4", "91350100M000100Y431", "9135O100M000100Y43", "九" * 18])
def test_a_unified_code_of_the_wrong_shape_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        identity.check_uscc(text)


def test_a_wrong_last_character_of_a_unified_code_is_named() -> None:
    with pytest.raises(Invalid, match="末位"):
        identity.check_uscc("91350100M000100Y44")


@given(unified_codes(), st.integers(0, 17), st.sampled_from(identity.UNIFIED_CODE_CHARACTERS))
def test_any_single_changed_character_of_a_unified_code_is_found(code: str, place: int, other: str) -> None:
    assert identity.check_uscc(code) == code
    if other != code[place]:
        with pytest.raises(Invalid):
            identity.check_uscc(code[:place] + other + code[place + 1 :])


@given(st.text(max_size=40))
def test_no_text_raises_anything_but_invalid(text: str) -> None:
    with contextlib.suppress(Invalid):
        assert len(identity.check_resident_id(text).value) == 18
    with contextlib.suppress(Invalid):
        assert len(identity.check_uscc(text)) == 18


def test_a_masked_resident_number_keeps_neither_birth_date_nor_more_than_ten_characters() -> None:
    assert identity.mask_resident_id("331102195001010015") == "331102********0015"
    assert identity.mask_resident_id("331102") == "******"
    assert identity.mask_resident_id("") == ""


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("王小明", "王**"),
        ("欧阳娜娜", "欧阳**"),
        ("欧阳", "欧*"),
        ("李", "*"),
        ("", ""),
        ("John Smith", "J***"),
    ],
)
def test_a_masked_name_keeps_the_family_name(name: str, masked: str) -> None:
    assert identity.mask_name(name) == masked
