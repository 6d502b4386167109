"""Address text as people say it: parts, names, slips of typing, and no text that breaks it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.rules.grid.address import LONGEST_ADDRESS_TEXT, NameIndex, normalise, parse

ESTATE, ROAD, HOUSE, OLD_SHOP, VILLAGE = 1, 2, 3, 4, 5
NAMES = NameIndex.of(
    [
        ("后庆小区", ESTATE),
        ("大洋路", ROAD),
        ("大洋路130号", HOUSE),
        ("老供销社", OLD_SHOP),
        ("浙江省丽水市莲都区白云街道水东新村", VILLAGE),
    ]
)
NO_NAMES = NameIndex.of([])
CHINESE = "〇一二三四五六七八九"

Parts = tuple[int | None, str | None, str | None, str | None, str | None, str | None]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("后庆小区3幢2单元501", (ESTATE, None, "3", "2", None, "501")),
        ("3幢2单元", (None, None, "3", "2", None, None)),
        ("三号楼二单元501", (None, None, "3", "2", None, "501")),
        ("后庆3-2-501", (ESTATE, None, "3", "2", None, "501")),
        ("后庆3-2", (ESTATE, None, "3", "2", None, None)),
        ("大洋路128号3幢", (ROAD, "128", "3", None, None, None)),
        ("大洋路一百二十八号", (ROAD, "128", None, None, None, None)),
        ("大洋路130号2单元", (HOUSE, "130", None, "2", None, None)),
        ("3栋501", (None, None, "3", None, None, "501")),
        ("A幢", (None, None, "A", None, None, None)),
        ("b座1203室", (None, None, "B", None, None, "1203")),
        ("3#2单元", (None, None, "3", "2", None, None)),
        ("3#楼2梯", (None, None, "3", "2", None, None)),
        ("3#-2-501", (None, None, "3", "2", None, "501")),
        ("我家在后庆小区三幢二单元五楼,水管爆了", (ESTATE, None, "3", "2", "5", None)),
        ("浙江省丽水市莲都区白云街道后庆社区后庆小区03幢02单元0501室", (ESTATE, None, "3", "2", None, "501")),
        ("水东新村5幢", (VILLAGE, None, "5", None, None, None)),
        ("水东5幢", (VILLAGE, None, "5", None, None, None)),
        ("大洋路后庆小区3幢", (ESTATE, None, "3", None, None, None)),
        ("3号2单元", (None, None, "3", "2", None, None)),
        ("3楼2单元", (None, None, "3", "2", None, None)),
        ("十二幢两单元二〇三室", (None, None, "12", "2", None, "203")),
        ("3幢2单元5楼501室", (None, None, "3", "2", "5", "501")),
        ("3 幢 2 单元 501 13800005678", (None, None, "3", "2", None, "501")),
        ("3幢2单元501,13800005678", (None, None, "3", "2", None, "501")),
        ("电话0578-2123456,3幢", (None, None, "3", None, None, None)),
        ("水管爆了", (None, None, None, None, None, None)),
        ("", (None, None, None, None, None, None)),
    ],
)
def test_an_address_as_people_say_it_is_taken_apart(text: str, parts: Parts) -> None:
    found = parse(text, NAMES)
    assert (found.name_id, found.road_number, found.building, found.unit, found.floor, found.room) == parts


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("我家在后庆小区三幢二单元五楼,水管爆了", "我家在,水管爆了"),
        ("3幢2单元501室(老供销社后面)", "(老供销社后面)"),
        ("浙江省丽水市莲都区白云街道后庆社区后庆小区3幢,没水", "没水"),
        ("我在莲都区3幢2单元", "我在"),
        ("大洋路 一百二十八号 3 栋 Toilet坏了", "Toilet坏了"),
        ("水管爆了, 很急!", "水管爆了, 很急!"),
    ],
)
def test_the_rest_keeps_the_words_of_the_caller_without_the_address(text: str, rest: str) -> None:
    assert parse(text, NAMES).rest == rest


def test_a_landmark_is_near_the_place_and_so_only_a_candidate() -> None:
    found = parse("3幢2单元501室(老供销社后面)", NAMES)
    assert (found.name_id, found.candidates) == (None, (OLD_SHOP,))
    assert (found.building, found.unit, found.room) == ("3", "2", "501")
    assert parse("老供销社3幢", NAMES).name_id == OLD_SHOP
    assert parse("后庆小区3幢,老供销社旁边", NAMES).name_id == ESTATE


@pytest.mark.parametrize("text", ["后亲小区3幢", "老供消社3幢", "老供社3幢", "老的供销社3幢"])
def test_one_slip_of_typing_is_a_candidate_and_never_certain(text: str) -> None:
    found = parse(text, NAMES)
    assert found.name_id is None
    assert len(found.candidates) == 1
    assert found.building == "3"


def test_two_slips_are_nothing() -> None:
    assert parse("老贡消社3幢", NAMES).candidates == ()


def test_a_house_number_is_never_taken_for_its_neighbour() -> None:
    only_houses = NameIndex.of([("大洋路128号", 1), ("大洋路12号", 2)])
    assert parse("大洋路129号", only_houses).candidates == ()
    assert parse("大洋路128号", only_houses).name_id == 1
    assert parse("大洋路12号", only_houses).name_id == 2
    assert parse("大羊路128号", only_houses).candidates == (1,)


def test_a_name_of_two_places_is_ambiguous() -> None:
    twice = NameIndex.of([("水东新村", 7), ("水东公寓", 8)])
    assert (parse("水东3幢", twice).name_id, parse("水东3幢", twice).candidates) == (None, (7, 8))
    assert parse("水东公寓3幢", twice).name_id == 8


def test_the_community_is_not_the_estate_of_the_same_name() -> None:
    assert parse("后庆社区3幢", NAMES).name_id is None


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("三号楼", "3幢"),
        ("十二幢", "12幢"),
        ("二〇三室", "203室"),
        ("一百零二号", "102号"),
        ("两单元", "2单元"),
        ("ＡＢ座", "ab幢"),
        ("3号楼道", "3单元"),
        ("2单元门501号房", "2单元501室"),
        ("3门口", "3门口"),
        (" 五 一 路 ", "五一路"),
        ("有三户人家", "有3户人家"),
    ],
)
def test_many_spellings_become_one(text: str, spelled: str) -> None:
    assert normalise(text) == spelled


WORDS = [
    *"零一二两三十百0123ab-#,, 号楼幢栋座单元室房户门梯层第的路",
    "单元",
    "楼道",
    "号楼",
    "后庆",
    "小区",
    "大洋路",
]
PIECES = st.lists(st.sampled_from(WORDS), max_size=30).map("".join)


@settings(max_examples=400)
@given(st.one_of(st.text(max_size=200), PIECES))
def test_no_text_raises_and_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    found = parse(text, NAMES)
    for part in (found.road_number, found.building, found.unit, found.floor, found.room):
        assert part is None or (part.isascii() and part.isalnum() and part == part.upper())
        assert part is None or part == "0" or not part.startswith("0")


def in_chinese(number: int) -> str:
    """Write a number below 200 in the way a house number is spoken."""
    hundreds, below = divmod(number, 100)
    tens, ones = divmod(below, 10)
    if hundreds:
        middle = f"{CHINESE[tens]}十" if tens else ("零" if ones else "")
        return f"{CHINESE[hundreds]}百{middle}{CHINESE[ones] if ones else ''}"
    last = CHINESE[ones] if ones or not tens else ""
    return f"{CHINESE[tens] if tens > 1 else ''}{'十' if tens else ''}{last}"


def digit_by_digit(number: int) -> str:
    """Write a number as its digits in Chinese."""
    return "".join(CHINESE[int(digit)] for digit in str(number))


def spellings(building: int, unit: int, room: int) -> list[str]:
    """Write one address in more than twelve ways."""
    wide = str.maketrans({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
    return [
        f"{building}幢{unit}单元{room}室",
        f"{building}栋{unit}单元{room}",
        f"{building}号楼{unit}单元{room}室",
        f"{building}#{unit}单元{room}",
        f"{building}#楼 {unit} 单元 {room}户",
        f"{building}-{unit}-{room}",
        f"{building}-{unit}-{room}室".translate(wide),
        f"{building}座{unit}门{room}房",
        f"{building}楼{unit}单元{room}",
        f"{building}幢{unit}梯{room}号房",
        f"{building}号楼{unit}楼道{room}室",
        f"第{building}幢,第{unit}单元,{room}",
        f"{in_chinese(building)}幢{in_chinese(unit)}单元{digit_by_digit(room)}室",
        f"后庆小区{in_chinese(building)}号楼{in_chinese(unit)}单元{room},漏水",
    ]


ROOMS = st.builds(lambda floor, door: floor * 100 + door, st.integers(1, 33), st.integers(1, 4))


@given(st.integers(1, 199), st.integers(1, 12), ROOMS)
def test_every_spelling_of_an_address_gives_the_same_parts(building: int, unit: int, room: int) -> None:
    for spelling in spellings(building, unit, room):
        found = parse(spelling, NAMES)
        assert (found.building, found.unit, found.room) == (str(building), str(unit), str(room)), spelling


@pytest.mark.parametrize(
    "piece", ["一", "3", "3-", "-", ",3", "后庆", "大洋路", "单元门", "a", "老供", "3幢", " ", "🚰"]
)
def test_hostile_text_is_read_in_linear_time(piece: str) -> None:
    many = NameIndex.of([(f"大洋路{number}号", number) for number in range(1, 800)] + [("老供销社", 900)])
    assert parse(piece * 100_000, many) == parse(piece * 100_001, many)
    assert len(normalise(piece * 100_000)) <= 2 * LONGEST_ADDRESS_TEXT


def test_names_too_short_or_too_long_are_left_out() -> None:
    assert parse("甲3幢", NameIndex.of([("甲", 1), ("", 2), ("甲" * 60, 3)])).name_id is None
    assert parse("3幢", NO_NAMES).building == "3"
