"""What a notice says: Chinese templates, the order number in each about an order; the bytes of a webhook.

A repeat is recognised by its number and has the same bytes: texts hold nothing but stored facts.
Privacy: kind and area only; the address and the resident's phone are on the phone page, after accepting.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dispatch.rules.shanghai import SHANGHAI

LONGEST_TEXT = 2_048
LONGEST_FACT = 120
LONGEST_LINK = 500
SIGNED_BY = "【后庆派单】"
URGENCY_WORDS = {"emergency": "突发", "urgent": "紧急", "same_day": "当日", "booked": "预约"}


@dataclass(frozen=True, slots=True)
class Template:
    """A notice's text: a message id with %(name)s places, and the same for the subject of an e-mail."""

    subject: str
    text: str


TEMPLATES: dict[str, Template] = {
    "offer": Template(
        "请接单:订单 %(number)s %(service)s",
        "订单 %(number)s 请您接单:%(service)s,%(place)s,%(urgency)s%(wanted)s。请在 %(hold_until)s 前答复。",
    ),
    "escalation": Template(
        "请尽快处理:订单 %(number)s",
        "订单 %(number)s(%(service)s,%(place)s)的时限快到或已过,请尽快处理并反馈。",
    ),
    "to_sign": Template(
        "请签收:订单 %(number)s",
        "订单 %(number)s(%(service)s,%(place)s,%(urgency)s)已派到您的团队,请尽快签收。",
    ),
    "to_help": Template(
        "请协办:订单 %(number)s",
        "订单 %(number)s(%(service)s,%(place)s)请您的团队协办,任务在订单页上,做完请登记。",
    ),
    "urged": Template(
        "催办:订单 %(number)s",
        "订单 %(number)s(%(service)s,%(place)s)有人催办,请尽快处理,并联系居民。",
    ),
    "withdrawn": Template(
        "订单 %(number)s 已取消",
        "订单 %(number)s(%(service)s,%(place)s)已取消或改派,请不要再上门。",
    ),
    "taken": Template(
        "订单 %(number)s 已由别人接下",
        "订单 %(number)s(%(service)s,%(place)s)已由别人接下,您不用再答复。",
    ),
    "reopened": Template(
        "订单 %(number)s 需要重办",
        "订单 %(number)s(%(service)s,%(place)s)居民反映没有解决,需要重办。",
    ),
    "complaint": Template(
        "请答复投诉:订单 %(number)s",
        "订单 %(number)s(%(service)s,%(place)s)有投诉,请在 %(until)s 前打开本单链接答复;链接过期的,请打电话给中心。",
    ),
    "complaint_upheld": Template(
        "投诉属实:订单 %(number)s", "订单 %(number)s 的投诉,中心认定属实。请联系中心了解理由。"
    ),
    "complaint_rejected": Template("投诉不属实:订单 %(number)s", "订单 %(number)s 的投诉,中心认定不属实。"),
    "complaint_withdrawn": Template("投诉已撤回:订单 %(number)s", "订单 %(number)s 的投诉已撤回,不用再答复。"),
}
WITHOUT_ORDER: dict[str, Template] = {
    "escalations": Template(
        "%(count)s 张订单快到或已过时限",
        "您有 %(count)s 张订单(%(numbers)s)的时限快到或已过,请尽快逐一处理。",
    ),
    "papers_expiring": Template(
        "证照快到期(%(until)s)", "您的一份证照有效期到 %(until)s 为止,请尽快续办,过期后不能再派单给您。"
    ),
    "papers_expired": Template(
        "证照已过期(%(until)s)", "您的一份证照有效期到 %(until)s 为止,已经过期,续办以前不能再派单给您。"
    ),
    "firm_admitted": Template("您已准入", "您的准入申请已通过,从现在起可以给您派单。"),
    "firm_suspended": Template(
        "暂停派单到 %(until)s", "从现在起到 %(until)s 为止不再给您派单,还没有答复的询单已转给别人。请联系中心了解原因。"
    ),
    "firm_lifted": Template("恢复派单", "已恢复给您派单。"),
    "firm_left": Template("已退出", "您已退出,不再给您派单。手上的订单请做完,或者联系中心。"),
    "thanks": Template(
        "感谢您的捐赠",
        "感谢您的捐赠(收据 %(numbers)s)。%(place)s 已收到并登记,凭收据编号和查询码可以在网站上查到用在哪里。",
    ),
    "alarm_raised": Template(
        "家里的电子保姆报警（%(until)s）",
        "您家老人的电子保姆在 %(until)s 报警，%(place)s 已经派人去看，正在电话联系。结束以后会再告诉您。",
    ),
    "alarm_ended": Template(
        "家里的电子保姆报警已处理（%(until)s）", "您家老人的电子保姆 %(until)s 的报警已经有人上门处理完。"
    ),
    "monthly_visit": Template("%(until)s 已上门看望", "%(until)s 的每月回访，%(place)s 已经有人上门看望过您家老人。"),
    "appointment": Template("预约提醒", "您在 %(until)s 有一个预约。来不了请尽早取消，时间可以让给别人。"),
    "appointment_offer": Template(
        "有空出的预约时间", "您候补的预约有了时间:%(wanted)s。请在 %(until)s 前用预约码确认，过时让给下一位。"
    ),
    "appointment_over": Template("预约已取消", "您在 %(until)s 的预约取消了，抱歉。请重新选一个时间。"),
    "firm_warned": Template("警告", "中心因一件投诉属实给您一次警告。请联系中心了解原因。"),
}
OTHER = Template("订单 %(number)s 有新的情况", "订单 %(number)s(%(service)s,%(place)s)有新的情况,请查看。")
LINK = "\n打开链接查看和答复(仅限本单,请勿转发):%(link)s"
PLACES = ("number", "service", "place", "urgency", "wanted", "hold_until", "until", "count", "numbers", "link")


def facts_of_order(
    *,
    number: str,
    service: str,
    place: str,
    urgency: str,
    confidential: bool,
    wanted: tuple[datetime, datetime] | None = None,
    hold_until: datetime | None = None,
) -> dict[str, str]:
    """The facts that a notice may tell of an order; a confidential one keeps its kind and place to itself."""
    return {
        "number": number,
        "service": "保密服务" if confidential else service,
        "place": "地点见链接" if confidential else place,
        "urgency": URGENCY_WORDS.get(urgency, urgency),
        "wanted": "" if wanted is None else f"({said(wanted[0])}至{said(wanted[1])})",
        "hold_until": "" if hold_until is None else said(hold_until),
    }


def said(moment: datetime) -> str:
    """An instant as people here say it: 11月23日 10:05."""
    local = moment.astimezone(SHANGHAI)
    return f"{local.month}月{local.day}日 {local:%H:%M}"


def plain(text: object, longest: int = LONGEST_FACT) -> str:
    """A fact on one line, without control characters, cut to `longest` characters."""
    line = " ".join("".join(mark if mark.isprintable() else " " for mark in str(text)).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def filled(facts: Mapping[str, object], link: str) -> dict[str, str]:
    """Every place of the templates with a clean value."""
    values = {name: plain(facts.get(name, "")) for name in PLACES}
    return values | {"link": plain(link, LONGEST_LINK)}


def template_of(name: str) -> Template:
    """The template of a notice; an unknown one says that there is news about the order."""
    return (TEMPLATES | WITHOUT_ORDER).get(name, OTHER)


def text_of(template: str, facts: Mapping[str, object], link: str = "") -> str:
    """The whole text of a notice, at most 2,048 characters."""
    values = filled(facts, link)
    text = SIGNED_BY + template_of(template).text % values
    return text + LINK % values if link else text


def subject_of(template: str, facts: Mapping[str, object]) -> str:
    """The subject of an e-mail: one line with the order number."""
    return SIGNED_BY + template_of(template).subject % filled(facts, "")


def webhook_body(
    *,
    message_id: str,
    template: str,
    performer_code: str,
    facts: Mapping[str, object],
    link: str,
    created_at: datetime,
) -> bytes:
    """The JSON of a webhook, UTF-8, keys sorted: the same bytes each time for the same notice."""
    content = {
        "message_id": message_id,
        "kind": template,
        "performer": performer_code,
        "order_number": facts.get("number", ""),
        "round": facts.get("round"),
        "service": facts.get("service", ""),
        "place": facts.get("place", ""),
        "urgency": facts.get("urgency", ""),
        "answer_until": facts.get("hold_until_at"),
        "text": text_of(template, facts, link),
        "link": link,
        "created_at": created_at.astimezone(SHANGHAI).isoformat(),
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
