"""A year's list as it is published, read into days: the real notices against the library, and what is refused."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.catalogue.calendar import DayKind, seed_year
from dispatch.rules.catalogue.holidays import PublishedDay, read_notice

NOTICE_2025 = """一、元旦：1月1日（周三）放假1天，不调休。
二、春节：1月28日（农历除夕、周二）至2月4日（农历正月初七、周二）放假调休，共8天。1月26日（周日）、2月8日（周六）上班。
三、清明节：4月4日（周五）至6日（周日）放假，共3天。
四、劳动节：5月1日（周四）至5日（周一）放假调休，共5天。4月27日（周日）上班。
五、端午节：5月31日（周六）至6月2日（周一）放假，共3天。
六、国庆节、中秋节：10月1日（周三）至8日（周三）放假调休，共8天。9月28日（周日）、10月11日（周六）上班。"""
NOTICE_2026 = """一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。
二、春节：2月15日（农历腊月二十八、周日）至23日（农历正月初七、周一）放假调休，共9天。2月14日（周六）、2月28日（周六）上班。
三、清明节：4月4日（周六）至6日（周一）放假，共3天。
四、劳动节：5月1日（周五）至5日（周二）放假调休，共5天。5月9日（周六）上班。
五、端午节：6月19日（周五）至21日（周日）放假，共3天。
六、中秋节：9月25日（周五）至27日（周日）放假，共3天。
七、国庆节：10月1日（周四）至7日（周三）放假调休，共7天。9月20日（周日）、10月10日（周六）上班。"""
MAKEUP_WORKDAYS = {
    2025: ["01-26", "02-08", "04-27", "09-28", "10-11"],
    2026: ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"],
}
NOTICES = {2025: NOTICE_2025, 2026: NOTICE_2026}


@pytest.mark.parametrize("year", [2025, 2026])
def test_the_published_notice_is_read_as_the_library_holds_the_year(year: int) -> None:
    read = [(one.day, one.kind) for one in read_notice(NOTICES[year], year)]
    assert read == [(day, kind) for day, kind, _ in seed_year(year)]
    assert [f"{day:%m-%d}" for day, kind in read if kind is DayKind.WORKDAY] == MAKEUP_WORKDAYS[year]


def test_days_are_named_after_their_holiday() -> None:
    names = {one.day: one.name for one in read_notice(NOTICE_2026, 2026)}
    assert names[date(2026, 2, 17)] == "春节"
    assert names[date(2026, 1, 4)] == "元旦调休上班"


def test_plain_lines_are_read_too() -> None:
    text = "2027-01-01 至 2027-01-03 元旦\n2027.2.6 春节 上班\n\n3月8日"
    assert read_notice(text, 2027) == [
        PublishedDay(date(2027, 1, 1), DayKind.HOLIDAY, "元旦"),
        PublishedDay(date(2027, 1, 2), DayKind.HOLIDAY, "元旦"),
        PublishedDay(date(2027, 1, 3), DayKind.HOLIDAY, "元旦"),
        PublishedDay(date(2027, 2, 6), DayKind.WORKDAY, "春节调休上班"),
        PublishedDay(date(2027, 3, 8), DayKind.HOLIDAY, "放假"),
    ]


def test_a_new_year_may_begin_in_the_december_before() -> None:
    read = read_notice("元旦：2023年12月30日至2024年1月1日放假", 2024)
    assert [one.day for one in read] == [date(2023, 12, 30), date(2023, 12, 31), date(2024, 1, 1)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "没有读到"),
        ("按国家规定放假", "没有读到"),
        ("2月30日放假", "第1行"),
        ("元旦：1月1日放假\n2026-05-01 劳动节", "第2行"),
        ("春节：2月20日至10日放假", "第1行"),
        ("春节：2月1日至3月20日放假", "第1行"),
        ("15日放假", "第1行"),
        ("1" * 10_001, "太长"),
    ],
)
def test_what_is_no_list_of_the_year_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_notice(text, 2027)
    assert refused.value.field == "text"
    assert words in refused.value.message


def days_or_field(text: str) -> list[date] | str:
    """The days that a text is read as, or the field that it is refused by."""
    try:
        return [one.day for one in read_notice(text, 2027)]
    except Invalid as error:
        return error.field


@given(st.text(alphabet="元旦春节放假上班至日月年、，。：:0123456789- \n（）周一", max_size=60))
def test_whatever_is_pasted_is_days_of_the_year_or_refused_by_its_field(text: str) -> None:
    days = days_or_field(text)
    assert days == "text" or (isinstance(days, list) and days == sorted(set(days)))
    assert isinstance(days, str) or all(date(2026, 12, 1) <= day <= date(2027, 12, 31) for day in days)
