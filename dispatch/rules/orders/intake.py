"""Field rules of an intake: texts, the wanted window, and how pressing a call sounds."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dispatch.errors import Invalid
from dispatch.rules.orders.urgency import PRESSING, Urgency
from dispatch.rules.shanghai import SHANGHAI

LONGEST_TEXT: Final = 4000
"""Characters. Source: promise.md §13, Open311 description."""

MOST_DAYS_AHEAD: Final = 60
"""Starting value (Q) of how far ahead work can be booked."""

GRACE: Final = timedelta(minutes=5)
"""Starting value (Q): a window that begins “now” may have begun while the call was being written down."""

_FIRST_SURROGATE, _LAST_SURROGATE = "\ud800", "\udfff"

_EMERGENCY_WORDS: Final = (
    "漏气", "煤气味", "燃气味", "煤气泄漏", "燃气泄漏", "爆炸", "着火", "起火", "失火", "冒烟",
    "触电", "漏电", "晕倒", "昏倒", "昏迷", "摔倒", "跌倒", "不省人事", "被困", "困在", "中毒",
    "溺水", "坠楼", "轻生", "喘不过气", "救命",
)  # fmt: skip
_URGENT_WORDS: Final = (
    "爆管", "喷水", "水淹", "淹了", "大量漏水", "停电", "没电", "跳闸", "冒火花", "反水", "倒灌",
    "坠落", "走失",
)  # fmt: skip
_DENIALS: Final = ("没有", "没", "未", "不是", "并非", "无", "防止", "预防")
_OPEN_QUESTIONS: Final = ("有没有", "是不是")


@dataclass(frozen=True, slots=True)
class UrgencySuggestion:
    """How pressing a call sounds, and the words that say so; only a suggestion, the operator decides."""

    urgency: Urgency
    words: tuple[str, ...]


def check_text(field: str, text: str, longest: int = LONGEST_TEXT) -> str:
    """Return the text without blanks around it, or raise Invalid(field).

    Refused: more than `longest` characters, and what the database cannot hold (NUL, half a surrogate pair).
    Source: promise.md §13; stack.md (a NUL in JSON text is a server error on PostgreSQL).
    """
    if len(text) > longest:
        raise Invalid(field, "内容太长，最多%(longest)s个字", longest=longest)
    if "\x00" in text or any(_FIRST_SURROGATE <= character <= _LAST_SURROGATE for character in text):
        raise Invalid(field, "内容含有无法保存的字符")
    return text.strip()


def check_window(
    wanted_from: datetime | None,
    wanted_until: datetime | None,
    now: datetime,
    most_days_ahead: int = MOST_DAYS_AHEAD,
    grace: timedelta = GRACE,
) -> None:
    """Accept a wanted window, or raise Invalid naming the end of it that is wrong.

    Both ends or neither, each with a zone, start before end, not in the past, not too far ahead.
    Source: the issue's bad input (a date in the past); rules.md §9 for the number of days.
    """
    if wanted_from is None and wanted_until is None:
        return
    if wanted_from is None:
        raise Invalid("wanted_from", "请填写希望开始的时间")
    if wanted_until is None:
        raise Invalid("wanted_until", "请填写希望结束的时间")
    _check_zone("wanted_from", wanted_from)
    _check_zone("wanted_until", wanted_until)
    if wanted_from >= wanted_until:
        raise Invalid("wanted_until", "结束时间要晚于开始时间")
    if wanted_from < now - grace or wanted_until <= now:
        raise Invalid("wanted_from", "希望的时间已经过去")
    if wanted_until > now + timedelta(days=most_days_ahead):
        raise Invalid("wanted_until", "最多可以预约%(days)s天以内", days=most_days_ahead)


def _check_zone(field: str, moment: datetime) -> None:
    if moment.tzinfo is None:
        raise Invalid(field, "时间必须带时区")


def classify_urgency(
    text: str, kind_urgency: Urgency, wanted_from: datetime | None, now: datetime
) -> UrgencySuggestion:
    """Suggest an urgency from the words of a call, its kind and the day that is wanted.

    Words of danger come first: a denied one (“没有着火”) does not count, a doubtful one (“是不是漏气”) does.
    An emergency by kind stays one; work wanted on a later day in Shanghai is booked; otherwise the kind
    decides. Words never make an order less pressing than its kind. Source: hotline.md §1 #9; only a
    suggestion.
    """
    emergency = found_words(text, _EMERGENCY_WORDS)
    urgent = found_words(text, _URGENT_WORDS)
    if emergency or kind_urgency is Urgency.EMERGENCY:
        return UrgencySuggestion(Urgency.EMERGENCY, emergency + urgent)
    if urgent:
        return UrgencySuggestion(Urgency.URGENT, urgent)
    if wanted_from is not None and _day(wanted_from) > _day(now):
        return UrgencySuggestion(Urgency.BOOKED, ())
    if wanted_from is not None and kind_urgency not in PRESSING:
        return UrgencySuggestion(Urgency.SAME_DAY, ())
    return UrgencySuggestion(kind_urgency, ())


def found_words(text: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """List the words of `words` that stand in the text at least once without a denial right before them."""
    return tuple(word for word in words if _is_asserted(text, word))


def _is_asserted(text: str, word: str) -> bool:
    place = text.find(word)
    while place >= 0:
        if not text.endswith(_DENIALS, 0, place) or text.endswith(_OPEN_QUESTIONS, 0, place):
            return True
        place = text.find(word, place + len(word))
    return False


def _day(moment: datetime) -> int:
    return moment.astimezone(SHANGHAI).toordinal()
