"""Reading a year's holidays as they are published: the State Council's sentences, or plain lines with dates."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from dispatch.errors import Invalid
from dispatch.rules.catalogue.calendar import DayKind

LONGEST_TEXT: Final = 10_000
LONGEST_HOLIDAY_DAYS: Final = 15
FIELD: Final = "text"

_ASIDE = re.compile(r"[（(][^（）()]*[）)]")
_DAY = r"(?:(?P<{0}year>\d{{4}})\s*[-年./]\s*)?(?:(?P<{0}month>\d{{1,2}})\s*[-月./]\s*)?(?P<{0}day>\d{{1,2}})\s*日?"
_SPAN = re.compile(_DAY.format("first_") + r"(?:\s*(?:至|到|—|~|～|–)\s*" + _DAY.format("last_") + ")?")
_COUNTED = re.compile(r"共?\s*\d+\s*天")
_TITLE = re.compile(r"^(?:[一二三四五六七八九十]+、|\d+[.、]\s*)?\s*(?P<name>[^\d:：，,。]{2,20})[:：]")
_WORD = re.compile(r"[㐀-鿿、·]{2,}")
_ENDS = re.compile(r"[。；;\n]")
_SILENT = ("放假", "调休", "上班", "不调休", "休息", "工作", "补班")


@dataclass(frozen=True, slots=True)
class PublishedDay:
    """A day that differs, with the name of its holiday."""

    day: date
    kind: DayKind
    name: str


def read_notice(text: str, year: int) -> list[PublishedDay]:
    """Return the days of a published list in order of date, each once; the last mention of a day wins.

    Takes the notice's own sentences (“元旦:1月1日(周四)至3日(周六)放假调休,共3天。1月4日(周日)上班。”) and
    lines such as “2027-02-06 春节 上班”. A sentence with 上班 or 补班 names make-up workdays, any other holidays.
    Days may lie in the December before (a New Year's holiday that begins there). Raises Invalid("text", …) that
    names the line for what is no day, another year, a holiday longer than fifteen days, and for a list without
    any day. Source: 国务院办公厅关于部分节假日安排的通知.
    """
    if len(text) > LONGEST_TEXT:
        raise Invalid(FIELD, "内容太长,请只粘贴放假安排的几段")
    found: dict[date, PublishedDay] = {}
    name = ""
    for number, line in enumerate(text.splitlines(), start=1):
        for sentence in _ENDS.split(_ASIDE.sub("", line)):
            titled = _TITLE.match(sentence.strip())
            name = titled["name"].strip() if titled else name
            body = sentence.strip()[titled.end() :] if titled else sentence
            for one in _days_of(body, name, year, number):
                found[one.day] = one
    if not found:
        raise Invalid(FIELD, "没有读到日期,请粘贴放假安排的原文,或每行写一个日期")
    return sorted(found.values(), key=lambda one: one.day)


def _days_of(sentence: str, name: str, year: int, number: int) -> Iterator[PublishedDay]:
    """The days that one sentence names, none when it names no date."""
    plain = _COUNTED.sub("", sentence)
    kind = DayKind.WORKDAY if "上班" in plain or "补班" in plain else DayKind.HOLIDAY
    called = name or _name_in(plain)
    month: int | None = None
    for span in _SPAN.finditer(plain):
        first = _date_of(span, "first_", year, month, number)
        month = first.month
        last = first
        if span["last_day"]:
            last = _date_of(span, "last_", first.year, month, number)
        if first < date(year - 1, 12, 1) or last > date(year, 12, 31):
            raise Invalid(FIELD, "第%(line)s行不是%(year)s年的日期,请核对", line=number, year=year)
        if not first <= last < first + timedelta(days=LONGEST_HOLIDAY_DAYS):
            raise Invalid(FIELD, "第%(line)s行的日期前后不对或太长,请核对", line=number)
        month = last.month
        for offset in range((last - first).days + 1):
            yield PublishedDay(first + timedelta(days=offset), kind, _named(called, kind))


def _date_of(span: re.Match[str], prefix: str, year: int, month: int | None, number: int) -> date:
    """One date; month and year are those before it where it does not say its own."""
    given_year, given_month, day = (span[prefix + part] for part in ("year", "month", "day"))
    chosen_month = int(given_month) if given_month else month
    if chosen_month is None:
        raise Invalid(FIELD, "第%(line)s行看不懂,日期请写成2027-01-01或1月1日", line=number)
    try:
        return date(int(given_year) if given_year else year, chosen_month, int(day))
    except ValueError as error:
        raise Invalid(FIELD, "第%(line)s行有不存在的日期,请核对", line=number) from error


def _name_in(sentence: str) -> str:
    words = (word for word in _WORD.findall(_SPAN.sub(" ", sentence)) if word not in _SILENT)
    return next((word.removesuffix("放假").removesuffix("上班") for word in words), "")


def _named(name: str, kind: DayKind) -> str:
    if kind is DayKind.WORKDAY:
        return f"{name}调休上班" if name else "调休上班"
    return name or "放假"
