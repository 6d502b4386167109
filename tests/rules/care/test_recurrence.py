"""Recurring visits: what is refused by name, and the same days that dateutil finds."""

import contextlib
from datetime import UTC, date, datetime, timedelta

import pytest
from dateutil import rrule as dateutil_rules
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.care.recurrence import WEEKDAYS, occurrences, parse_rule
from dispatch.rules.shanghai import SHANGHAI

START = datetime(2026, 11, 23, 9, 30, tzinfo=SHANGHAI)


def days(rule: str, weeks: int = 8, until: date | None = None) -> list[str]:
    """Return the local days of the visits of a rule from Monday 2026-11-23 on."""
    found = occurrences(parse_rule(START, rule, until), START, START + timedelta(weeks=weeks))
    assert all(visit.tzinfo is not None and f"{visit:%H:%M}" == "09:30" for visit in found)
    return [f"{visit:%m-%d}" for visit in found]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=WEEKLY;INTERVAL=2", ["11-23", "12-07", "12-21", "01-04"]),
        ("RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=2", ["11-24", "12-01"]),
        ("freq=daily;count=3", ["11-23", "11-24", "11-25"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ["11-30", "12-31"]),
        ("FREQ=MONTHLY;BYDAY=1MO", ["12-07", "01-04"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", ["11-30", "12-31"]),
        ("FREQ=DAILY;UNTIL=20261125", ["11-23", "11-24", "11-25"]),
        ("FREQ=DAILY;UNTIL=20261125T013000Z", ["11-23", "11-24", "11-25"]),
        ("FREQ=DAILY;UNTIL=20261125T092959", ["11-23", "11-24"]),
        ("FREQ=YEARLY;BYWEEKNO=50;BYDAY=WE", ["12-09"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", ["11-24", "11-29", "12-08", "12-13"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", ["11-24", "12-06", "12-08", "12-20"]),
        ("FREQ=YEARLY;BYYEARDAY=1,-1", ["12-31", "01-01"]),
    ],
)
def test_a_rule_gives_the_visits_that_it_says(rule: str, expected: list[str]) -> None:
    assert days(rule) == expected


def test_the_last_day_of_the_schedule_still_has_its_visit() -> None:
    assert days("FREQ=DAILY", until=date(2026, 11, 24)) == ["11-23", "11-24"]


def test_the_end_of_the_window_asked_for_does_not_belong_to_it() -> None:
    rule = parse_rule(START, "FREQ=DAILY", None)
    assert occurrences(rule, START, START) == []
    assert occurrences(rule, START, START + timedelta(days=1)) == [START]
    assert occurrences(rule, START - timedelta(days=9), START + timedelta(seconds=1)) == [START]


def test_the_thirty_first_is_passed_over_in_short_months() -> None:
    rule = parse_rule(datetime(2026, 1, 31, 9), "FREQ=MONTHLY", None)  # noqa: DTZ001 - local by contract
    found = occurrences(rule, datetime(2026, 1, 1, tzinfo=SHANGHAI), datetime(2026, 6, 1, tzinfo=SHANGHAI))
    assert [f"{visit:%m-%d}" for visit in found] == ["01-31", "03-31", "05-31"]


def test_a_start_in_another_zone_is_the_wall_clock_of_shanghai() -> None:
    rule = parse_rule(datetime(2026, 11, 22, 17, 0, tzinfo=UTC), "FREQ=DAILY;COUNT=1", None)
    assert rule.starts_at == datetime(2026, 11, 23, 1, 0, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        ("FREQ=SECONDLY", "FREQ"),
        ("FREQ=MINUTELY", "FREQ"),
        ("FREQ=HOURLY", "FREQ"),
        ("INTERVAL=2", "FREQ"),
        ("FREQ=", "FREQ"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=99999", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=1,2", "INTERVAL"),
        ("FREQ=DAILY;COUNT=0", "COUNT"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "COUNT"),
        ("FREQ=DAILY;BYHOUR=8,9", "BYHOUR"),
        ("FREQ=DAILY;BYMINUTE=0,30", "BYMINUTE"),
        ("FREQ=DAILY;BYSECOND=0", "BYSECOND"),
        ("FREQ=DAILY;BYEASTER=1", "BYEASTER"),
        ("FREQ=DAILY;X-MOON=1", "X-MOON"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY"),
        ("FREQ=WEEKLY;BYDAY=", "BYDAY"),
        ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY"),
        ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY"),
        ("FREQ=MONTHLY;BYDAY=6MO", "BYDAY"),
        ("FREQ=MONTHLY;BYDAY=MO,1TU", "BYDAY"),
        ("FREQ=YEARLY;BYWEEKNO=5;BYDAY=1MO", "BYDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH"),
        ("FREQ=DAILY;BYYEARDAY=1", "BYYEARDAY"),
        ("FREQ=YEARLY;BYWEEKNO=54", "BYWEEKNO"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS"),
        ("FREQ=DAILY;WKST=XX", "WKST"),
        ("FREQ=DAILY;UNTIL=soon", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20261399", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20260101", "UNTIL"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "RRULE"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "RRULE"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=TU", "RRULE"),
        ("FREQ=DAILY" + ";" * 500, "RRULE"),
        ("", "RRULE"),
        ("每周一", "RRULE"),
        ("FREQ=DAILY\x00", "RRULE"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused_by_the_name_of_its_part(rule: str, part: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_rule(START, rule, None)
    assert refusal.value.field == part
    assert refusal.value.message


def test_a_schedule_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        parse_rule(START, "FREQ=DAILY", date(2026, 11, 22))
    assert refusal.value.field == "UNTIL"


@pytest.mark.parametrize("year", [1, 1900, 9999])
def test_a_start_beyond_all_schedules_is_refused(year: int) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_rule(datetime(year, 1, 1, tzinfo=UTC), "FREQ=DAILY", None)
    assert refusal.value.field == "DTSTART"


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=4;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;INTERVAL=1000",
        "FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1;BYSETPOS=366",
    ],
)
def test_a_hostile_rule_never_looks_long(rule: str) -> None:
    found = []
    with contextlib.suppress(Invalid):
        found = occurrences(parse_rule(START, rule, None), START, datetime.max.replace(tzinfo=SHANGHAI))
    assert len(found) <= 30


SIGNED = st.integers(1, 5) | st.integers(-5, -1)


def numbers(name: str, values: st.SearchStrategy[int]) -> st.SearchStrategy[str]:
    """Make one part of a rule with one to three numbers."""
    return st.lists(values, min_size=1, max_size=3).map(lambda found: f"{name}={','.join(map(str, found))}")


PLAIN_DAYS = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=4).map(",".join)
NUMBERED_DAYS = st.builds("{}{}".format, SIGNED, st.sampled_from(WEEKDAYS))
PART_MAKERS = [
    st.integers(1, 6).map("INTERVAL={}".format),
    st.integers(1, 40).map("COUNT={}".format),
    (PLAIN_DAYS | NUMBERED_DAYS).map("BYDAY={}".format),
    numbers("BYMONTH", st.integers(1, 12)),
    numbers("BYMONTHDAY", st.integers(1, 31) | st.integers(-31, -1)),
    numbers("BYYEARDAY", st.integers(1, 366) | st.integers(-366, -1)),
    numbers("BYWEEKNO", st.integers(1, 53)),
    numbers("BYSETPOS", SIGNED),
    st.sampled_from(WEEKDAYS).map("WKST={}".format),
    st.dates(date(2026, 1, 1), date(2029, 1, 1)).map("UNTIL={:%Y%m%d}T235959".format),
]


@st.composite
def rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    makers = draw(st.lists(st.sampled_from(range(len(PART_MAKERS))), unique=True, max_size=4))
    return ";".join([f"FREQ={frequency}", *(draw(PART_MAKERS[maker]) for maker in makers)])


STARTS = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1))  # noqa: DTZ001 - local by contract


@settings(max_examples=200, deadline=None)
@given(rules(), STARTS, st.integers(-30, 1200), st.integers(0, 800))
def test_the_visits_are_those_that_dateutil_finds(rule: str, start: datetime, after: int, length: int) -> None:
    with contextlib.suppress(Invalid):
        begin = start + timedelta(days=after)
        end = begin + timedelta(days=length)
        found = occurrences(parse_rule(start, rule, None), begin, end)
        theirs = dateutil_rules.rrulestr(rule, dtstart=start)
        expected = [visit for visit in theirs.between(begin, end, inc=True) if visit < end]
        assert [visit.replace(tzinfo=None) for visit in found] == expected


@settings(max_examples=150, deadline=None)
@given(rules(), STARTS)
def test_no_year_has_more_than_four_hundred_visits_nor_a_day_two(rule: str, start: datetime) -> None:
    with contextlib.suppress(Invalid):
        found = occurrences(parse_rule(start, rule, None), start, start + timedelta(days=366))
        assert len(found) == len({visit.date() for visit in found}) <= 366


WORDS = [
    "FREQ=",
    "DAILY",
    "YEARLY",
    ";",
    "BYDAY=",
    "MO",
    "-1",
    ",",
    "COUNT=",
    "UNTIL=",
    "20270230",
    "T",
    "Z",
    "=",
    "+",
]
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(WORDS), max_size=14).map("".join),
    st.builds("FREQ=YEARLY;{}".format, st.text("BYMONTHDAWEKNOS=,;-+0123456789", max_size=40)),
)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.datetimes(timezones=st.none() | st.just(UTC)), st.dates() | st.none())
def test_no_text_raises_anything_but_invalid(rule: str, start: datetime, until: date | None) -> None:
    with contextlib.suppress(Invalid):
        assert parse_rule(start, rule, until).text
