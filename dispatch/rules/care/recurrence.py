"""When visits recur: RFC 5545 rules by the day, checked hard and expanded in bounded time."""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from dispatch.errors import Invalid
from dispatch.rules.shanghai import SHANGHAI

LONGEST_RULE: Final = 500
LONGEST_SCHEDULE_DAYS: Final = 30 * 366
"""No schedule of visits is followed for more than thirty years, which bounds the work for any rule."""
MOST_VISITS: Final = 10_000
LONGEST_INTERVAL: Final = 1_000
FIRST_YEAR, LAST_YEAR = 1992, 2199

WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

_PREFIX = re.compile(r"RRULE:", re.IGNORECASE)
_PART = re.compile(r"([A-Z-]{1,20})=([A-Z0-9,+-]*)")
_WHOLE = re.compile(r"[+-]?[0-9]{1,5}")
_WEEKDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")
_NOT_BY_PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST")
_BY_PARTS = ("BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS")
_TIMES_OF_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")


class Frequency(StrEnum):
    """How long a period of the rule is; nothing shorter than a day (issue: “FREQ DAILY or slower”)."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True)
class VisitRule:
    """A checked rule: at most one visit on a day, so never more than 366 in 366 days (400 are allowed).

    `starts_at` and `last` are local (Asia/Shanghai); `weekdays` are (ordinal or 0, weekday with Monday 0).
    Source: RFC 5545 §3.3.10, with what a visit has no use for left out.
    """

    text: str
    starts_at: datetime
    frequency: Frequency
    interval: int
    count: int | None
    last: datetime
    weekdays: frozenset[tuple[int, int]]
    months: frozenset[int]
    month_days: frozenset[int]
    year_days: frozenset[int]
    week_numbers: frozenset[int]
    set_positions: frozenset[int]
    week_start: int


def parse_rule(dtstart: datetime, rrule: str, until: date | None) -> VisitRule:
    """Return the rule that `rrule` means from `dtstart` (local in Shanghai, or aware) to the day `until`.

    Raises Invalid whose field is the part at fault: FREQ, INTERVAL, BYHOUR, COUNT, BYDAY …, DTSTART, UNTIL,
    or RRULE for the whole. Source: RFC 5545 §3.3.10 and the mission (定期上门家访).
    """
    starts_at = _local(dtstart, "DTSTART").replace(microsecond=0)
    if not FIRST_YEAR <= starts_at.year <= LAST_YEAR:
        raise Invalid("DTSTART", "开始时间超出可以安排的年份,请核对。")
    parts = _parts(rrule)
    rule = VisitRule(
        text=";".join(f"{name}={value}" for name, value in parts.items()),
        starts_at=starts_at,
        frequency=_frequency(parts),
        interval=_one_number(parts, "INTERVAL", LONGEST_INTERVAL) or 1,
        count=_one_number(parts, "COUNT", MOST_VISITS),
        last=_last(starts_at, parts, until),
        weekdays=_weekdays(parts),
        months=_numbers(parts, "BYMONTH", 12, signed=False),
        month_days=_numbers(parts, "BYMONTHDAY", 31, signed=True),
        year_days=_numbers(parts, "BYYEARDAY", 366, signed=True),
        week_numbers=_numbers(parts, "BYWEEKNO", 53, signed=False),
        set_positions=_numbers(parts, "BYSETPOS", 366, signed=True),
        week_start=_week_start(parts),
    )
    _check_together(rule, parts)
    if next(_visits(rule, starts_at.date()), None) is None:
        ended = "UNTIL" if rule.last < starts_at else "RRULE"
        raise Invalid(ended, "按这条规则一次上门也排不出来,请检查开始时间、结束日期和重复规则。")
    return rule


def occurrences(rule: VisitRule, from_: datetime, until: datetime) -> list[datetime]:
    """Return the visits from `from_` up to, but without, `until`, in order (aware, Asia/Shanghai).

    Bounds without zone are local. A rule ends thirty years after its start at the latest.
    Source: RFC 5545 §3.8.5.3; equal to dateutil's expansion.
    """
    begin, end = _local(from_, "from"), _local(until, "until")
    found: list[datetime] = []
    for visit in _visits(rule, begin.date()):
        if visit >= end:
            break
        if visit >= begin:
            found.append(visit)
    return found


def _local(moment: datetime, part: str) -> datetime:
    try:
        return moment.replace(tzinfo=SHANGHAI) if moment.tzinfo is None else moment.astimezone(SHANGHAI)
    except OverflowError:
        raise Invalid(part, "时间超出可以安排的年份,请核对。") from None


def _parts(rrule: str) -> dict[str, str]:
    if len(rrule) > LONGEST_RULE:
        raise Invalid("RRULE", "重复规则不能超过%(most)s个字符。", most=LONGEST_RULE)
    parts: dict[str, str] = {}
    for piece in _PREFIX.sub("", rrule.strip(), count=1).rstrip(";").split(";"):
        match = _PART.fullmatch(piece.strip().upper()) if piece.isascii() else None
        if match is None:
            raise Invalid("RRULE", "重复规则应写成FREQ=WEEKLY;BYDAY=MO的样子。")
        name, value = match.groups()
        if name in _TIMES_OF_DAY:
            raise Invalid(name, "上门时间由开始时间决定,重复规则中不能再写%(part)s。", part=name)
        if name not in {*_NOT_BY_PARTS, *_BY_PARTS}:
            raise Invalid(name, "重复规则中不认识%(part)s这一项。", part=name)
        if name in parts:
            raise Invalid(name, "重复规则中%(part)s写了不止一次。", part=name)
        parts[name] = value
    if "COUNT" in parts and "UNTIL" in parts:
        raise Invalid("COUNT", "COUNT和UNTIL只能写一个。")
    return parts


def _frequency(parts: Mapping[str, str]) -> Frequency:
    try:
        return Frequency(parts.get("FREQ", ""))
    except ValueError:
        raise Invalid("FREQ", "频率FREQ只能是DAILY、WEEKLY、MONTHLY或YEARLY。") from None


def _one_number(parts: Mapping[str, str], name: str, most: int) -> int | None:
    if name not in parts:
        return None
    found = _whole(parts[name], name)
    if not 1 <= found <= most:
        raise Invalid(name, "%(part)s应在1到%(most)s之间。", part=name, most=most)
    return found


def _numbers(parts: Mapping[str, str], name: str, most: int, *, signed: bool) -> frozenset[int]:
    if name not in parts:
        return frozenset()
    found = frozenset(_whole(value, name) for value in parts[name].split(","))
    least = -most if signed else 1
    if 0 in found or min(found) < least or max(found) > most:
        raise Invalid(name, "%(part)s应在%(least)s到%(most)s之间,不含0。", part=name, least=least, most=most)
    return found


def _whole(text: str, name: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise Invalid(name, "%(part)s应为整数。", part=name)
    return int(text)


def _weekdays(parts: Mapping[str, str]) -> frozenset[tuple[int, int]]:
    if "BYDAY" not in parts:
        return frozenset()
    matches = [_WEEKDAY.fullmatch(value) for value in parts["BYDAY"].split(",")]
    found = frozenset((int(match[1] or 0), WEEKDAYS.index(match[2])) for match in matches if match)
    zero = any(match and match[1] and int(match[1]) == 0 for match in matches)
    if None in matches or zero:
        raise Invalid("BYDAY", "星期BYDAY应写成MO、TU、WE、TH、FR、SA、SU,可在前面加第几个(如1MO、-1FR)。")
    return found


def _week_start(parts: Mapping[str, str]) -> int:
    if parts.get("WKST", "MO") not in WEEKDAYS:
        raise Invalid("WKST", "一周的开始WKST应为MO、TU、WE、TH、FR、SA、SU之一。")
    return WEEKDAYS.index(parts.get("WKST", "MO"))


def _last(starts_at: datetime, parts: Mapping[str, str], until: date | None) -> datetime:
    ends = [starts_at + timedelta(days=LONGEST_SCHEDULE_DAYS)]
    if until is not None:
        ends.append(datetime.combine(until, time.max, SHANGHAI))
    if "UNTIL" in parts:
        ends.append(_until(parts["UNTIL"]))
    return min(ends)


def _until(text: str) -> datetime:
    match = _UNTIL.fullmatch(text)
    if match is None:
        raise Invalid("UNTIL", "结束时间UNTIL应写成20261231或20261231T235959Z的样子。")
    day, clock, utc = match.groups()
    try:
        moment = datetime.strptime(f"{day}{clock or '235959'}+{'0000' if utc else '0800'}", "%Y%m%d%H%M%S%z")
        return moment.astimezone(SHANGHAI)
    except (ValueError, OverflowError):
        raise Invalid("UNTIL", "结束时间UNTIL不是一个真实的时间。") from None


def _check_together(rule: VisitRule, parts: Mapping[str, str]) -> None:
    """Refuse what RFC 5545 §3.3.10 does not allow beside this frequency, or gives no clear meaning."""
    ordinals = {ordinal for ordinal, _ in rule.weekdays}
    most = {Frequency.MONTHLY: 5, Frequency.YEARLY: 5 if rule.months else 53}.get(rule.frequency, 0)
    others = parts.keys() & set(_BY_PARTS) - {"BYSETPOS"}
    refusals = (
        ("BYMONTHDAY", rule.month_days and rule.frequency is Frequency.WEEKLY),
        ("BYYEARDAY", rule.year_days and rule.frequency is not Frequency.YEARLY),
        ("BYWEEKNO", rule.week_numbers and rule.frequency is not Frequency.YEARLY),
        ("BYDAY", any(abs(ordinal) > most for ordinal in ordinals)),
        ("BYDAY", 0 in ordinals and len(ordinals) > 1),
        ("BYDAY", rule.week_numbers and ordinals - {0}),
        (
            "BYSETPOS",
            rule.set_positions and not others,
        ),
    )
    for name, is_refused in refusals:
        if is_refused:
            raise Invalid(name, "%(part)s不能这样和其他项一起使用,请简化重复规则。", part=name)


def _visits(rule: VisitRule, from_day: date) -> Iterator[datetime]:
    """Yield the visits in order; those before `from_day` may be passed over where none are counted."""
    clock = rule.starts_at.timetz()
    accepts = _filter(rule)
    first = 0 if rule.count else _PERIOD_OF[rule.frequency](rule, from_day)
    given = 0
    for days in _periods(rule, max(first, 0)):
        for day in _at_positions([day for day in days if accepts(day)], rule.set_positions):
            visit = datetime.combine(day, clock)
            if visit > rule.last or given == rule.count:
                return
            if visit >= rule.starts_at:
                given += 1
                yield visit


def _periods(rule: VisitRule, index: int) -> Iterator[list[date]]:
    """Yield the days of every period of the rule from the one with this index, as far as the rule goes."""
    start, last = rule.starts_at.date(), rule.last.date()
    while True:
        begin, length = _DAYS_OF[rule.frequency](rule, index)
        if begin > last:
            return
        days = [begin + timedelta(days=offset) for offset in range(length)]
        # As in dateutil, the first week of a rule by the week is only what is left of it.
        yield [day for day in days if day >= start] if rule.frequency is Frequency.WEEKLY else days
        index += 1


def _at_positions(days: list[date], positions: frozenset[int]) -> list[date]:
    if not positions:
        return days
    indexes = {position - 1 if position > 0 else len(days) + position for position in positions}
    return [days[index] for index in sorted(indexes) if 0 <= index < len(days)]


def _filter(rule: VisitRule) -> Callable[[date], bool]:
    """Return whether a day belongs to the rule; what the rule leaves open is taken from its start."""
    months, month_days, weekdays = rule.months, rule.month_days, rule.weekdays
    start = rule.starts_at
    if not (month_days or weekdays or rule.year_days or rule.week_numbers):
        if rule.frequency is Frequency.YEARLY:
            months = months or frozenset({start.month})
        if rule.frequency in {Frequency.YEARLY, Frequency.MONTHLY}:
            month_days = frozenset({start.day})
        if rule.frequency is Frequency.WEEKLY:
            weekdays = frozenset({(0, start.weekday())})
    by_month = rule.frequency is Frequency.MONTHLY or bool(rule.months)

    def accepts(day: date) -> bool:
        return (
            (not months or day.month in months)
            and (not month_days or _counts(day.day, monthrange(day.year, day.month)[1], month_days))
            and (not weekdays or _is_weekday(day, weekdays, by_month=by_month))
            and (not rule.year_days or _counts(_day_of_year(day), _year_length(day), rule.year_days))
            and (not rule.week_numbers or _week_number(day, rule.week_start) in rule.week_numbers)
        )

    return accepts


def _counts(number: int, length: int, wanted: frozenset[int]) -> bool:
    """Return whether a number, or its count from the end, is wanted."""
    return number in wanted or number - length - 1 in wanted


def _is_weekday(day: date, wanted: frozenset[tuple[int, int]], *, by_month: bool) -> bool:
    weekday = day.weekday()
    if (0, weekday) in wanted:
        return True
    number = day.day if by_month else _day_of_year(day)
    length = monthrange(day.year, day.month)[1] if by_month else _year_length(day)
    from_start, from_end = (number - 1) // 7 + 1, -((length - number) // 7 + 1)
    return (from_start, weekday) in wanted or (from_end, weekday) in wanted


def _day_of_year(day: date) -> int:
    return day.timetuple().tm_yday


def _year_length(day: date) -> int:
    return _day_of_year(date(day.year, 12, 31))


def _week_number(day: date, week_start: int) -> int:
    """Return the number of the week: the first has at least four days in the year (RFC 5545, BYWEEKNO)."""
    middle = day + timedelta(days=3 - (day.weekday() - week_start) % 7)
    return (_day_of_year(middle) - 1) // 7 + 1


def _first_of_week(rule: VisitRule) -> date:
    start = rule.starts_at.date()
    return start - timedelta(days=(start.weekday() - rule.week_start) % 7)


def _months_from_start(rule: VisitRule, day: date) -> int:
    return (day.year - rule.starts_at.year) * 12 + day.month - rule.starts_at.month


def _month(rule: VisitRule, index: int) -> tuple[date, int]:
    years, month = divmod(rule.starts_at.month - 1 + index * rule.interval, 12)
    year = min(rule.starts_at.year + years, date.max.year)
    return date(year, month + 1, 1), monthrange(year, month + 1)[1]


def _year(rule: VisitRule, index: int) -> tuple[date, int]:
    begin = date(min(rule.starts_at.year + index * rule.interval, date.max.year), 1, 1)
    return begin, _year_length(begin)


_DAYS_OF: Final[dict[Frequency, Callable[[VisitRule, int], tuple[date, int]]]] = {
    Frequency.DAILY: lambda rule, index: (rule.starts_at.date() + timedelta(days=index * rule.interval), 1),
    Frequency.WEEKLY: lambda rule, index: (_first_of_week(rule) + timedelta(weeks=index * rule.interval), 7),
    Frequency.MONTHLY: _month,
    Frequency.YEARLY: _year,
}
_PERIOD_OF: Final[dict[Frequency, Callable[[VisitRule, date], int]]] = {
    Frequency.DAILY: lambda rule, day: (day - rule.starts_at.date()).days // rule.interval,
    Frequency.WEEKLY: lambda rule, day: (day - _first_of_week(rule)).days // (7 * rule.interval),
    Frequency.MONTHLY: lambda rule, day: _months_from_start(rule, day) // rule.interval,
    Frequency.YEARLY: lambda rule, day: (day.year - rule.starts_at.year) // rule.interval,
}
