"""Finding kinds and names as they are typed, said, misspelt or abbreviated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.catalogue.search import pinyin_sort_key, rank, search_key

NAMES: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("管道疏通", ("管道输通", "下水道堵了", "马桶堵", "地漏反水")),
    2: ("水电修理", ("水管漏水", "水龙头坏了", "跳闸")),
    3: ("灌送煤气", ("换煤气", "送煤气罐")),
    4: ("医疗保健", ("量血压", "上门打针")),
    5: ("家电维修", ("修电视", "洗衣机不转")),
    6: ("突发事件", ("特发事件",)),
    7: ("重装系统", ("装WiFi", "网络不通")),
    8: ("长者陪行", ()),
    9: ("绿化养护", ()),
}
ENTRIES = [(identity, search_key(name, synonyms), 0) for identity, (name, synonyms) in NAMES.items()]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("gdst", 1),
        ("GDST", 1),
        ("gdsh", 1),
        ("gdsht", 1),
        ("guandao", 1),
        ("guandaoshutong", 1),
        ("guandst", 1),
        ("管dao", 1),
        ("疏通", 1),
        ("shutong", 1),
        ("st", 1),
        ("管道输通", 1),
        ("我家下水道堵了,满地都是水", 1),
        ("官道书通", 1),
        ("下水道好像堵了", 1),
        ("马桶堵得厉害", 1),
        ("水电", 2),
        ("sdxl", 2),
        ("tiaozha", 2),
        ("特发事件", 6),
        ("突发", 6),
        ("chongzhuang", 7),
        ("zhongzhuang", 7),
        ("czxt", 7),
        ("wifi", 7),
        ("zhangzhe", 8),
        ("changzhe", 8),
        ("lvhua", 9),
    ],
)
def test_a_kind_is_found_first_by_what_is_typed_or_said(query: str, found: int) -> None:
    assert rank(query, ENTRIES)[0] == found


def test_the_beginning_of_a_name_goes_before_its_middle_and_that_before_synonyms() -> None:
    entries = [
        (1, search_key("搬家", ["维修搬运"]), 9),
        (2, search_key("家电维修"), 5),
        (3, search_key("维修水管"), 0),
        (4, search_key("维修"), 0),
    ]
    assert rank("维修", entries) == [4, 3, 2, 1]
    assert rank("weixiu", entries) == [4, 3, 2, 1]


def test_the_longer_phrase_that_the_caller_said_goes_first() -> None:
    entries = [(1, search_key("甲", ["漏水"]), 99), (2, search_key("乙", ["水管漏水"]), 0)]
    assert rank("厨房水管漏水了", entries) == [2, 1]


def test_of_equals_the_more_popular_goes_first_then_the_smaller_id() -> None:
    key = search_key("家政服务")
    assert rank("jz", [(3, key, 1), (2, key, 1), (1, key, 0), (4, key, 7)]) == [4, 2, 3, 1]


def test_nothing_typed_gives_the_most_popular() -> None:
    entries = [(identity, key, identity) for identity, key, _ in ENTRIES]
    assert rank(" ", entries, limit=3) == [9, 8, 7]


@pytest.mark.parametrize("query", ["xyz", "今天天气", "qqqqqq", "🚰", "1"])
def test_what_fits_nothing_finds_nothing(query: str) -> None:
    assert rank(query, ENTRIES) == []


def test_a_key_holds_text_pinyin_and_initials_with_every_reading_of_a_polyphone() -> None:
    key = search_key("重装 系统")
    assert key.name.text == "重装系统"
    assert {"chongzhuangxitong", "zhongzhuangxitong"} <= set(key.pinyin)
    assert {"czxt", "zzxt"} <= set(key.initials)
    assert search_key("管道疏通").initials[0] == "gdst"
    assert search_key("银行").pinyin[0] == "yinhang"


def test_names_sort_as_in_a_chinese_register() -> None:
    names = ["张三", "李四", "欧阳娜", "张", "阿福", "王小明", "李思"]
    assert sorted(names, key=pinyin_sort_key) == ["阿福", "李思", "李四", "欧阳娜", "王小明", "张", "张三"]


LETTERS = st.text("gdstuanhoweixlv管道疏通水电维修 ", max_size=12)


@given(st.one_of(st.text(max_size=300), LETTERS), st.integers(0, 10))
def test_no_query_raises_and_the_entries_may_come_in_any_order(query: str, limit: int) -> None:
    found = rank(query, ENTRIES, limit)
    assert found == rank(query, ENTRIES[::-1], limit)
    assert len(found) == len(set(found)) <= limit
    assert isinstance(pinyin_sort_key(query), str)


@given(st.sampled_from(sorted(NAMES)), st.data())
def test_every_beginning_of_a_spelling_finds_the_name(identity: int, data: st.DataObject) -> None:
    key = ENTRIES[identity - 1][1]
    spelling = data.draw(st.sampled_from([key.name.text, *key.pinyin, *key.initials]))
    beginning = spelling[: data.draw(st.integers(1, len(spelling)))]
    assert identity in rank(beginning, ENTRIES, limit=len(ENTRIES))


@given(st.data())
def test_a_name_typed_from_any_place_by_signs_readings_or_initials_is_found(data: st.DataObject) -> None:
    """Where typing cannot begin is passed over; nothing that can be typed may be."""
    identity = data.draw(st.sampled_from(sorted(NAMES)))
    phrase = search_key(NAMES[identity][0]).name
    start = data.draw(st.integers(0, len(phrase.text) - 1))
    typed = ""
    for character, readings in zip(phrase.text[start:], phrase.readings[start:], strict=True):
        reading = data.draw(st.sampled_from(readings))
        typed += data.draw(st.sampled_from([character, reading, reading[:1]]))
        if data.draw(st.booleans()):
            break
    assert identity in rank(typed, ENTRIES, limit=len(ENTRIES))
