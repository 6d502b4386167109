"""The desk's form: what the operator typed, read into a draft; the windows of time that it offers."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar

from flask_babel import format_date, gettext

from dispatch.clock import SHANGHAI
from dispatch.errors import Invalid
from dispatch.models.catalogue import Service
from dispatch.services.orders import OrderDraft

KEY_BYTES = 18
SHORTEST_KEY = 16
LONGEST_KEY = 64
MOST_ID = 2**63 - 1
LONGEST_NUMBER = len(str(MOST_ID))
SOURCE = "hotline"
DAYS_OFFERED = 5
ANSWER_PREFIX = "answer."
SLOTS = ((time(8, 30), time(12)), (time(14), time(17, 30)), (time(18), time(21)))
FIELD_OF = {"phone": "caller_phone", "wanted_until": "wanted_from", "service_code": "service_id"}
Word = TypeVar("Word", bound=StrEnum)
EMPTY = OrderDraft(description="")


@dataclass(frozen=True, slots=True)
class Window:
    """A window of time that a caller may wish: its value in the form and its words."""

    value: str
    words: str


def new_key() -> str:
    """A key that makes one form one order, however often it is sent."""
    return secrets.token_urlsafe(KEY_BYTES)


def source_number(key: str) -> str:
    """The key as it is kept with the order (unique for ever); raises Invalid for a key that is not ours."""
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY or not key.replace("-", "").replace("_", "").isalnum():
        raise Invalid("form_key", "页面已过期，请刷新后再保存；已填写的内容还在")
    return f"desk:{key}"


def one_of(form: Mapping[str, str], field: str, known: type[Word]) -> Word:
    """One of the words of a list; raises Invalid naming the field."""
    word = form.get(field, "")
    if word not in set(known):
        raise Invalid(field, "请选择一项")
    return known(word)


def read_draft(form: Mapping[str, str]) -> OrderDraft:
    """The draft that a form means; raises Invalid naming the field for what is no number or time."""
    wanted_from, wanted_until = read_window(form)
    answers = {
        name.removeprefix(ANSWER_PREFIX): value.strip()
        for name, value in form.items()
        if name.startswith(ANSWER_PREFIX) and value.strip()
    }
    return OrderDraft(
        description=form.get("description", "").strip(),
        service_id=number(form, "service_id"),
        address_text=form.get("address_text", "").strip(),
        stairwell_id=number(form, "stairwell_id"),
        building_id=number(form, "building_id"),
        room=form.get("room", "").strip() or None,
        caller_name=form.get("caller_name", "").strip() or None,
        caller_phone=form.get("caller_phone", "").strip() or None,
        caller_resident_id=number(form, "caller_resident_id"),
        wanted_from=wanted_from,
        wanted_until=wanted_until,
        urgency=form.get("urgency") or None,
        answers=answers,
        source=SOURCE,
        confidential=True if form.get("confidential") else None,
    )


def number(form: Mapping[str, str], field: str) -> int | None:
    """A whole number of the form, None when empty; raises Invalid."""
    text = form.get(field, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > LONGEST_NUMBER or int(text) > MOST_ID:
        raise Invalid(field)
    return int(text)


def numbers(texts: Iterable[str], field: str) -> list[int]:
    """The whole numbers that were chosen; raises Invalid."""
    found = (number({field: text}, field) for text in texts)
    return [one for one in found if one is not None]


def read_window(form: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """The wanted window: one of those offered, or two times of its own; raises Invalid."""
    chosen = form.get("wanted", "")
    if chosen and chosen != "own":
        begin, _, end = chosen.partition("/")
        return local_time(begin, "wanted_from"), local_time(end, "wanted_from")
    if chosen == "own":
        return local_time(form.get("wanted_from", ""), "wanted_from"), local_time(
            form.get("wanted_until", ""), "wanted_from"
        )
    return None, None


def local_time(text: str, field: str) -> datetime | None:
    """A time of Shanghai as the browser writes it; raises Invalid."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(field, "请填写完整的日期和时间") from error
    return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)


def windows(now: datetime) -> list[Window]:
    """The windows offered from now on: mornings, afternoons and evenings of the next days."""
    local = now.astimezone(SHANGHAI)
    parts = (gettext("上午"), gettext("下午"), gettext("晚上"))
    near = (gettext("今天"), gettext("明天"), gettext("后天"))
    found = []
    for days in range(DAYS_OFFERED):
        day = local.date() + timedelta(days=days)
        word = near[days] if days < len(near) else format_date(day, "EEE")
        for part, (begin, end) in zip(parts, SLOTS, strict=True):
            start, stop = datetime.combine(day, begin, SHANGHAI), datetime.combine(day, end, SHANGHAI)
            if stop - timedelta(hours=1) <= local:
                continue
            start = max(start, local.replace(second=0, microsecond=0))
            value = f"{start:%Y-%m-%dT%H:%M}/{stop:%Y-%m-%dT%H:%M}"
            found.append(Window(value, f"{word}{part} {start:%H:%M}–{stop:%H:%M}（{day:%m-%d}）"))
    return found


def with_known_answers(draft: OrderDraft, service: Service) -> OrderDraft:
    """The draft with answers to this kind's questions only: those of a kind chosen before are left out."""
    known = {question["code"] for question in service.questions}
    return replace(draft, answers={code: text for code, text in draft.answers.items() if code in known})


def without(draft: OrderDraft, field: str) -> OrderDraft:
    """The draft without a field that is wrong, so that the rest can be looked at."""
    name = FIELD_OF.get(field, field)
    if name == "wanted_from":
        return replace(draft, wanted_from=None, wanted_until=None)
    if name.startswith("answers"):
        return replace(draft, answers={})
    return replace(draft, **{name: getattr(EMPTY, name)}) if hasattr(EMPTY, name) else EMPTY


def field_name(field: str) -> str:
    """The field of the form beside which an error is shown."""
    return FIELD_OF.get(field, field)
