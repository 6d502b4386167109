"""What every page shares: words and shapes of states, deadlines, times, messages."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from flask import Response, current_app, g, url_for
from flask_babel import format_date, format_datetime, gettext, lazy_gettext, ngettext
from markupsafe import Markup

from dispatch.errors import DispatchError
from dispatch.rules.access.roles import Actor, ActorKind, Right
from dispatch.rules.care.chain import KIND_LABELS, OUTCOME_LABELS, OUTSIDE, CallKind, CallOutcome
from dispatch.rules.grid.phone import mask_phone
from dispatch.rules.orders.callback import SATISFACTION_LABELS, Satisfaction
from dispatch.rules.orders.complaints import (
    COMPLAINT_LABELS,
    CONSEQUENCE_LABELS,
    STATE_LABELS,
    ComplaintKind,
    ComplaintState,
    Consequence,
)
from dispatch.rules.orders.requests import REQUEST_LABELS, RequestKind
from dispatch.rules.orders.states import AFTER_WORK, ENDED, LABELS, Action, OrderState
from dispatch.rules.orders.urgency import URGENCY_LABELS, Urgency
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services.access.files import Content
from dispatch.web.language import LANGUAGES, chosen_language
from dispatch.web.navigation import navigation
from dispatch.web.prices import line_words, span_words
from dispatch.web.vendor import vendor_url

STATIC = Path(__file__).parent / "static"
DIGEST_CHARACTERS = 12
SOON = timedelta(minutes=30)
MINUTES_OF_AN_HOUR = 60
HOURS_OF_A_DAY = 24
NO_NAME = "—"


@dataclass(frozen=True, slots=True)
class Look:
    """How a state or deadline looks: word, shape and colour together."""

    word: str
    icon: str
    tone: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """A limit as people read it: “还剩 42 分”, with the time beside it."""

    at: datetime
    words: str
    icon: str
    tone: str


TONES: Mapping[OrderState, tuple[str, str]] = {
    OrderState.RECEIVED: ("telephone-inbound", "waiting"),
    OrderState.AWAITING_DISPATCH: ("hourglass-split", "waiting"),
    OrderState.AWAITING_HUMAN: ("person-raised-hand", "late"),
    OrderState.DISPATCHED: ("signpost-2", "moving"),
    OrderState.SIGNED: ("check-lg", "moving"),
    OrderState.OFFERED: ("send", "moving"),
    OrderState.ACCEPTED: ("person-check", "moving"),
    OrderState.ARRIVED: ("tools", "moving"),
    OrderState.FINISHED: ("check-circle", "done"),
    OrderState.FED_BACK: ("check-circle", "done"),
    OrderState.CALLING_BACK: ("telephone-outbound", "waiting"),
    OrderState.CLOSED: ("check-circle", "done"),
    OrderState.ARCHIVED: ("lock", "quiet"),
    OrderState.ANSWERED: ("check-circle", "done"),
    OrderState.VOIDED: ("x-circle", "quiet"),
    OrderState.MERGED: ("diagram-3", "quiet"),
}


def state_look(state: str) -> Look:
    """Word, shape and tone of an order's state."""
    known = OrderState(state)
    icon, tone = TONES[known]
    return Look(gettext(LABELS[known]), icon, tone)


def urgency_look(urgency: str) -> Look:
    """Word, shape and tone of an order's urgency."""
    word = gettext(URGENCY_LABELS[Urgency(urgency)])
    if urgency in {"emergency", "urgent"}:
        return Look(word, "exclamation-octagon-fill", "emergency")
    return Look(word, "clock", "waiting" if urgency == "same_day" else "quiet")


def deadline(
    at: datetime | None, now: datetime, state: str | None = None, *, until_closed: bool = False
) -> Deadline | None:
    """How long is left or past; None without a limit or when its clock has stopped.

    The service clock stops when the work is done, the civic one (`until_closed`) when the order has ended.
    """
    stopped = ENDED if until_closed else ENDED | AFTER_WORK
    if at is None or (state is not None and OrderState(state) in stopped):
        return None
    left = at - now
    if left < timedelta(0):
        words = gettext("超时 %(time)s", time=span(-left))
        return Deadline(at, words, "exclamation-triangle-fill", "late")
    tone, icon = ("soon", "hourglass-split") if left <= SOON else ("calm", "clock")
    return Deadline(at, gettext("还剩 %(time)s", time=span(left)), icon, tone)


def span(length: timedelta) -> str:
    """A length of time in two units at most: 42 分, 3 小时 5 分, 2 天 4 小时."""
    minutes = int(length.total_seconds() // 60)
    hours, minute = divmod(minutes, MINUTES_OF_AN_HOUR)
    days, hour = divmod(hours, HOURS_OF_A_DAY)
    if days and not hour:
        return ngettext("%(num)s 天", "%(num)s 天", days)
    if days:
        return gettext("%(days)s 天 %(hours)s 小时", days=days, hours=hour)
    if hours and not minute:
        return ngettext("%(num)s 小时", "%(num)s 小时", hours)
    if hours:
        return gettext("%(hours)s 小时 %(minutes)s 分", hours=hours, minutes=minute)
    return ngettext("%(num)s 分", "%(num)s 分", minutes)


def moment(at: datetime | None, now: datetime | None = None) -> str:
    """A time of Shanghai: 14:05 today, 11-23 14:05 this year, else with the year."""
    if at is None:
        return NO_NAME
    local = at.astimezone(SHANGHAI)
    today = now.astimezone(SHANGHAI) if now is not None else None
    if today is not None and local.date() == today.date():
        return local.strftime("%H:%M")
    if today is not None and local.year == today.year:
        return local.strftime("%m-%d %H:%M")
    return local.strftime("%Y-%m-%d %H:%M")


def long_day(day: date | datetime, form: Literal["long", "full"] = "long") -> str:
    """A day, or a time's day in Shanghai, in the words of the reader's language; `full` with the day of the week."""
    return format_date(day.astimezone(SHANGHAI).date() if isinstance(day, datetime) else day, form)


def long_moment(at: datetime | None) -> str:
    """A time of Shanghai in the words of the reader's language."""
    return NO_NAME if at is None else format_datetime(at.astimezone(SHANGHAI), "medium", rebase=False)


ACTION_WORDS = {
    Action.RECEIVE: lazy_gettext("受理"),
    Action.COMPLETE_INTAKE: lazy_gettext("登记齐全"),
    Action.ANSWER_DIRECTLY: lazy_gettext("直接答复"),
    Action.DISPATCH: lazy_gettext("派单"),
    Action.FAIL_ROUTING: lazy_gettext("自动派单没有结果"),
    Action.RETRY_ROUTING: lazy_gettext("重新派单"),
    Action.SIGN: lazy_gettext("签收"),
    Action.OPEN_ROUND: lazy_gettext("开始询单"),
    Action.NEXT_ROUND: lazy_gettext("换下一家询单"),
    Action.ROUND_FAILED: lazy_gettext("询单没有结果"),
    Action.ACCEPT: lazy_gettext("接单"),
    Action.SET_OUT: lazy_gettext("在途"),
    Action.ARRIVE: lazy_gettext("到场"),
    Action.FINISH: lazy_gettext("完成"),
    Action.FEED_BACK: lazy_gettext("反馈"),
    Action.START_CALLBACK: lazy_gettext("开始回访"),
    Action.RECORD_CALLBACK_TRY: lazy_gettext("记下一次回访"),
    Action.CLOSE: lazy_gettext("办结"),
    Action.REOPEN: lazy_gettext("重办"),
    Action.ARCHIVE: lazy_gettext("归档"),
    Action.VOID: lazy_gettext("作废"),
    Action.REASSIGN: lazy_gettext("改派"),
    Action.WITHDRAW_PERFORMER: lazy_gettext("服务商退出"),
    Action.ESCALATE: lazy_gettext("逐级提醒"),
    Action.REMARK: lazy_gettext("备注"),
    Action.HOLD: lazy_gettext("挂起"),
    Action.RESUME: lazy_gettext("恢复"),
    Action.MERGE: lazy_gettext("并单"),
    Action.UNMERGE: lazy_gettext("拆单"),
    Action.TAKE_IN: lazy_gettext("并入一单"),
    Action.LET_GO: lazy_gettext("拆出一单"),
    Action.SPLIT: lazy_gettext("另立一单"),
    Action.REPEAT_CALL: lazy_gettext("同一件事又来电"),
    Action.REQUEST: lazy_gettext("提出申请"),
    Action.DECIDE: lazy_gettext("决定申请"),
    Action.RETURN_TO_DESK: lazy_gettext("退单"),
    Action.EXTEND: lazy_gettext("延期"),
    Action.ASK_HELP: lazy_gettext("请协办"),
    Action.HELP_DONE: lazy_gettext("协办完成"),
    Action.FINAL_ANSWER: lazy_gettext("最终答复"),
    Action.URGE: lazy_gettext("催办"),
    Action.SUPERVISE: lazy_gettext("督办"),
    Action.END_SUPERVISION: lazy_gettext("销督"),
    Action.RECOMPUTE: lazy_gettext("重算时限"),
    Action.CONCEAL: lazy_gettext("设为保密"),
    Action.REVEAL: lazy_gettext("取消保密"),
}
"""What was done, as the time line says it."""


def action_word(action: str) -> str:
    """What was done, in the reader's language."""
    return str(ACTION_WORDS[Action(action)])


def actor_word(kind: str) -> str:
    """In what capacity something was done."""
    words = {
        ActorKind.OPERATOR: gettext("坐席"),
        ActorKind.DISPATCHER: gettext("班长"),
        ActorKind.ROUTER: gettext("自动派单"),
        ActorKind.CLOCK: gettext("到时自动"),
        ActorKind.TEAM: gettext("团队"),
        ActorKind.PERFORMER: gettext("服务商"),
        ActorKind.CALLBACK_CLERK: gettext("回访员"),
        ActorKind.CENTRE: gettext("中心"),
        ActorKind.SYSTEM: gettext("系统"),
    }
    return words[ActorKind(kind)]


def satisfaction_word(step: str) -> str:
    """A step of the scale in words."""
    return gettext(SATISFACTION_LABELS[Satisfaction(step)])


def result_word(result: str | None) -> str:
    """What came of the work."""
    words = {"done": gettext("已完成"), "partly": gettext("部分完成"), "not_done": gettext("未能完成")}
    return words.get(result or "", NO_NAME)


def call_word(kind: str, outcome: str) -> str:
    """Who was called about an alarm, and what came of it; 120 and 110 are told."""
    called = CallKind(kind)
    said = gettext("已通知") if called in OUTSIDE else gettext(OUTCOME_LABELS[CallOutcome(outcome)])
    return f"{gettext(KIND_LABELS[called])} · {said}"


def request_word(kind: str) -> str:
    """What is asked about an order."""
    return gettext(REQUEST_LABELS[RequestKind(kind)])


def complaint_word(kind: str) -> str:
    """What a complaint is about."""
    return gettext(COMPLAINT_LABELS[ComplaintKind(kind)])


def complaint_state_word(state: str) -> str:
    """How a complaint stands."""
    return gettext(STATE_LABELS[ComplaintState(state)])


def consequence_word(consequence: str) -> str:
    """What an upheld complaint means for the firm."""
    return gettext(CONSEQUENCE_LABELS[Consequence(consequence)])


def picture_of(content: Content) -> Response:
    """A picture for the one who asked, kept in no cache on its way."""
    response = Response(content.data, mimetype=content.media_type)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def notice_word(template: str) -> str:
    """What a notice is about."""
    words = {
        "offer": gettext("新订单等答复"),
        "taken": gettext("已由别人接下"),
        "escalation": gettext("订单快到或已过时限"),
        "escalations": gettext("多张订单快到或已过时限"),
        "to_sign": gettext("订单等签收"),
        "to_help": gettext("请团队协办"),
        "urged": gettext("有人催办"),
        "withdrawn": gettext("订单已取消或改派"),
        "reopened": gettext("订单需要重办"),
        "complaint": gettext("有投诉，请答复"),
        "complaint_upheld": gettext("投诉属实"),
        "complaint_rejected": gettext("投诉不属实"),
        "complaint_withdrawn": gettext("投诉已撤回"),
        "papers_expiring": gettext("证照快到期，请更新"),
        "papers_expired": gettext("证照已过期，不再派单"),
        "visit_missed": gettext("探访没有按时做"),
        "key_opened": gettext("两位保管人打开了您的咨询记录"),
    }
    return words.get(template, template)


def told(error: DispatchError) -> str:
    """The message of a business error in the reader's language."""
    return str(gettext(error.template, **error.facts))


def sentence(template: str, parameters: Mapping[str, object]) -> str:
    """A stored sentence (template and parameters) in the reader's language."""
    return str(gettext(template, **parameters))


@cache
def digest_of(name: str) -> str:
    """The digest of a static file, so that its address changes with it."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:DIGEST_CHARACTERS]


def asset(name: str) -> str:
    """The address of one of our own static files."""
    return url_for("static", filename=name, v=digest_of(name))


def icon(name: str) -> Markup:
    """A picture that says nothing to a screen reader: the word beside it does."""
    if "icons" not in g:
        g.icons = vendor_url("icons.svg")
    return drawn(g.icons, name)


@cache
def drawn(address: str, name: str) -> Markup:
    """The picture of this name out of the file at `address`: a page has dozens."""
    return Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>').format(
        address, name
    )


def page_context() -> dict[str, Any]:
    """What every template knows."""
    actor: Actor | None = g.get("actor")
    return {
        "actor": actor,
        "business_time": g.get("business_time"),
        "navigation": navigation(actor),
        "languages": LANGUAGES,
        "language": chosen_language(),
        "icon": icon,
        "asset": asset,
        "vendor_url": vendor_url,
        "state_look": state_look,
        "urgency_look": urgency_look,
        "deadline": deadline,
        "moment": moment,
        "long_day": long_day,
        "long_moment": long_moment,
        "told": sentence,
        "action_word": action_word,
        "actor_word": actor_word,
        "notice_word": notice_word,
        "result_word": result_word,
        "request_word": request_word,
        "call_word": call_word,
        "complaint_word": complaint_word,
        "complaint_state_word": complaint_state_word,
        "consequence_word": consequence_word,
        "masked": lambda phone: mask_phone(phone) if phone else "",
        "satisfaction_word": satisfaction_word,
        "span_words": span_words,
        "line_words": line_words,
        "Right": Right,
        "has_view": lambda endpoint: endpoint in current_app.view_functions,
    }
