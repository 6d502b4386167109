"""Where a person begins: the home by role, my cell's orders, the inbox, the alarms."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import NotFound
from dispatch.models.notify import Alarm
from dispatch.rules.access.roles import EVERYTHING, Actor, Right
from dispatch.rules.care.signals import MEANING_LABELS, Meaning
from dispatch.rules.care.terms import DUTY_LABELS, DutyKind
from dispatch.rules.funds.terms import EntryKind
from dispatch.services import notify, orders, reports
from dispatch.services.care.alarms import OpenAlarm
from dispatch.services.care.alarms import open_alarms as pressing_alarms
from dispatch.services.orders import OrderFilters
from dispatch.transaction import transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.orders.form import number as whole_number
from dispatch.web.orders.listing import STATES_SHOWN
from dispatch.web.orders.views import order_numbers, rows
from dispatch.web.pages import notice_word

MEANING_WORDS = {str(one): lazy_gettext(MEANING_LABELS[one]) for one in Meaning}
MOST_OF_MINE = 100
MOST_SHOWN = 100
HOMES = (
    (Right.ORDERS_PLACE, "pages_orders.desk"),
    (Right.ORDERS_CALL_BACK, "pages_orders.callbacks"),
    (Right.ORDERS_WORK, "pages_home.mine"),
    (Right.BOARD_READ, "pages_orders.board"),
    (Right.BENEFICIARIES_EDIT, "pages_beneficiaries.listing"),
    (Right.MARKET_KEEP, "pages_stock.overview"),
    (Right.COUNSELLING_COUNSEL, "pages_counselling.mine"),
    (Right.FUNDS_BOOK, "pages_funds.listing"),
)

blueprint = Blueprint("pages_home", __name__)


@blueprint.get("/")
@allow(None)
def home() -> Response:
    """To the page on which this person works."""
    actor = current_actor()
    target = next((endpoint for right, endpoint in HOMES if actor.may(right)), "pages_home.inbox")
    return redirect(url_for(target))  # type: ignore[return-value]


@blueprint.get("/my")
@allow(Right.ORDERS_WORK)
def mine() -> str:
    """The open orders of my area, my team or myself: the reach of the actor is that cell."""
    actor = current_actor()
    with transaction() as session:
        now = clock.now(session)
        filters = OrderFilters(states=STATES_SHOWN["open"])
        found = orders.list_orders(session, actor=actor, filters=filters, cursor=None, limit=MOST_OF_MINE)
        shown = sorted(rows(session, found.items, actor), key=lambda row: row.order.service_due_at or now)
    template = "home/mine_now.html" if request.args.get("part") == "now" else "home/mine.html"
    return render_template(template, rows=shown, now=now)


@blueprint.get("/my/figures")
@allow(Right.ORDERS_WORK)
def own_figures() -> str:
    """A performer's own offers, work and fair share; of others nothing. Raises NotFound for who is no performer."""
    performer_id = current_actor().performer_id
    if performer_id is None:
        raise NotFound
    with transaction(EVERYTHING) as session:
        own = reports.own_figures(session, performer_id, now=clock.now(session))
        return render_template("home/own_figures.html", own=own)


@blueprint.get("/inbox")
@allow(Right.NOTICES_READ)
def inbox() -> str:
    """My notices, newest first."""
    actor = current_actor()
    before = whole_number(request.args, "before")
    with transaction() as session:
        now = clock.now(session)
        found = notify.inbox_of(session, actor=actor, before=before)
        shown = [(notice, notice_word(notice.template), notify.link_token(notice)) for notice in found]
        numbers = order_numbers(session, {one.order_id for one in found if one.order_id}, actor)
    return render_template("home/inbox.html", notices=shown, numbers=numbers, now=now)


@blueprint.post("/inbox/<int(max=9223372036854775807):notice_id>/read")
@allow(Right.NOTICES_READ)
def read_notice(notice_id: int) -> Response:
    """The read receipt."""
    with transaction() as session:
        notify.mark_read(session, notice_id, actor=current_actor(), now=clock.now(session))
    return redirect(url_for("pages_home.inbox"), 303)  # type: ignore[return-value]


@blueprint.get("/alarms")
@allow(Right.NOTICES_READ)
def alarms() -> str:
    """What must not stay silent, the most pressing first."""
    actor = current_actor()
    with transaction() as session:
        now = clock.now(session)
        found = notify.open_alarms(session, actor=actor)
        ids = {alarm.facts["performer_id"] for alarm in found if alarm.facts.get("performer_id")}
        performers = orders.performer_names(session, ids)
        shown = [(alarm, alarm_words(alarm, performers)) for alarm in found]
        numbers = order_numbers(session, {alarm.order_id for alarm, _ in shown if alarm.order_id}, actor)
        pressing = {one.number: one for one in pressing_of(session, actor)}
    return render_template(
        "home/alarms.html", alarms=shown, numbers=numbers, pressing=pressing, meanings=MEANING_WORDS, now=now
    )


def pressing_of(session: Session, actor: Actor) -> Sequence[OpenAlarm]:
    """The alarms of devices for which somebody is still out, for whoever calls about them."""
    return pressing_alarms(session, actor=actor) if actor.may(Right.DEVICES_CALL) else ()


@blueprint.get("/alarms/count")
@allow(Right.NOTICES_READ)
def alarm_count() -> str:
    """The badge of the top bar."""
    actor = current_actor()
    with transaction() as session:
        found = notify.open_alarms(session, actor=actor)
        unread = notify.unread_count(session, actor=actor)
        escalated = orders.escalated_count(session, actor=actor)
        pressing = [one for one in pressing_of(session, actor) if not one.is_confirmed]
        now = clock.now(session)
    emergencies = sum(alarm.level == "emergency" for alarm in found)
    return render_template(
        "home/alarm_badge.html",
        count=counted(len(found)),
        emergencies=emergencies,
        unread=unread,
        escalated=counted(escalated),
        pressing=pressing,
        meanings=MEANING_WORDS,
        now=now,
    )


@blueprint.post("/alarms/<int(max=9223372036854775807):alarm_id>/seen")
@allow(Right.NOTICES_READ)
def see_alarm(alarm_id: int) -> Response:
    """Note that somebody has seen an alarm; it stays until its cause is gone."""
    with transaction() as session:
        notify.see_alarm(session, alarm_id, actor=current_actor(), now=clock.now(session))
    return redirect(url_for("pages_home.alarms"), 303)  # type: ignore[return-value]


def counted(number: int) -> str:
    """A number for a badge: empty for none, with a plus where the list is cut."""
    if number == 0:
        return ""
    return f"{number}+" if number >= MOST_SHOWN else str(number)


def alarm_words(alarm: Alarm, performers: Mapping[int, str]) -> str:
    """An alarm in words, with the facts that say what to do."""
    facts = alarm.facts
    name = performers.get(facts.get("performer_id", 0), "")
    words = {
        "place_unresolved": gettext("地址一直没有定下来，请问清后定地点"),
        "order_waits": gettext("订单等待人工派单"),
        "order_urgent": gettext("突发订单：系统在派，请同时人工跟进"),
        "order_unsigned": gettext("派到团队的订单没有人签收，请催办或改派"),
        "order_late": gettext("订单已超时"),
        "order_supervised": gettext("重办后仍未解决，转督办"),
        "order_consultation": gettext("退单第 %(count)s 次被驳回，请召集联合会商", count=facts.get("refusals", "")),
        "order_urged": gettext("居民已催办 %(count)s 次", count=facts.get("count", "")),
        "request_waits": gettext("团队的申请到时间还没有决定"),
        "complaint_unanswered": gettext(
            "%(name)s 到时间还没有答复订单 %(order)s 的投诉，请认定", name=name, order=facts.get("order", "")
        ),
        "supervision_late": gettext("订单 %(order)s 的督办到期还没有核查", order=facts.get("order", "")),
        "job_dead": gettext("后台任务多次失败，已停止，请管理员查看"),
        "calendar_missing": gettext("%(year)s 年的工作日历还没有录入", year=facts.get("year", "")),
        "papers_expiring": gettext("%(name)s 的证照到 %(until)s 为止", name=name, until=facts.get("until", "")),
        "papers_expired": gettext(
            "%(name)s 的证照已在 %(until)s 过期，不再派单", name=name, until=facts.get("until", "")
        ),
        "posts_vacant": gettext("有 %(number)s 个岗位空缺", number=facts.get("number", "")),
        "notice_not_delivered": gettext("通知没有送到 %(name)s，请打电话", name=name),
        "export_waits": gettext("有人申请导出大量数据，请到“导出申请”批准或拒绝"),
        "statement_late": gettext("季度公开逾期未发布"),
        "disclosure_late": gettext("爱心超市公示逾期未发布"),
        "aid_recheck_due": gettext("有一位救助对象的资格到 %(until)s 为止，请复核", until=facts.get("until", "")),
        "aid_over": gettext("有一位救助对象的资格已在 %(until)s 到期，还没有复核", until=facts.get("until", "")),
        "visit_missed": gettext("探访没有按时做"),
        "visit_unplaced": gettext("排好的探访派不出去，请核对探访计划"),
        "signing_refused": gettext("离线签的一次领取没有入账，东西可能已经领走，请盘点"),
        "inspection_missed": gettext("食品检查到期还没有做完"),
        "disposal_late": gettext("隔离的物品到期还没有销毁签字"),
        "canary_late": gettext("探针订单没有按时走完，系统可能有问题"),
    }
    words |= of_money(facts) | of_life(facts) | of_calendar(facts, name) | of_devices(facts)
    return words.get(alarm.kind, alarm.kind)


def of_calendar(facts: Mapping[str, Any], name: str) -> dict[str, str]:
    """The alarms of the care calendar."""
    known = facts.get("duty") in set(DutyKind)
    said = {"duty": gettext(DUTY_LABELS[DutyKind(facts["duty"])]) if known else "", "period": facts.get("period", "")}
    return {
        "duty_warning": gettext("%(duty)s（%(period)s）还没有做，请抓紧安排", **said),
        "duty_missed": gettext("%(duty)s（%(period)s）漏做了，请马上派人上门", **said),
        "duty_nobody": gettext("%(duty)s没有人能去，请调整帮扶人", **said),
        "duty_unplaced": gettext("到期的上门派不出去，请核对这一户的登记"),
        "excuse_waits": gettext("有一次探访申请免做，请另一位同事批准或退回"),
        "helper_gone": gettext("%(name)s 已亡故：请停用账号；是咨询师的，请改约", name=name)
        if not facts.get("at_work")
        else gettext("%(name)s 已亡故：正在做的 %(count)s 单请改派，请停用账号", name=name, count=facts["at_work"]),
        "nest_changed": gettext("有一户可能不再是空巢，请核对同住的人"),
        "calls_unanswered": gettext("两次问候电话没有人接，已派楼道长上门，请马上打电话通知")
        if facts.get("post")
        else gettext("两次问候电话没有人接，这里没有楼道长，请马上派人上门"),
    }


def of_money(facts: Mapping[str, Any]) -> dict[str, str]:
    """The alarms of the funds."""
    return {
        "bank_difference": gettext(
            "%(month)s 银行与账目有 %(count)s 处对不上，请到“银行对账”核对",
            month=facts.get("month", ""),
            count=facts.get("count", ""),
        ),
        "bank_unreconciled": gettext("上月银行对账逾期未确认"),
        "vouchers_end": gettext(
            "有 %(count)s 张服务券 %(day)s 到期，还有 %(amount)s 没有用，请告诉老人",
            count=facts.get("count", ""),
            day=facts.get("day", ""),
            amount=facts.get("amount", ""),
        ),
    } | of_second_people(facts)


def of_second_people(facts: Mapping[str, Any]) -> dict[str, str]:
    """The alarms of what waits for a second person."""
    if facts.get("kind") == EntryKind.REVERSAL:
        return {
            "spending_waits": gettext("有一笔账的冲正申请等待审批"),
            "spending_late": gettext("一笔账的冲正申请等待审批已经超过期限"),
        }
    if facts.get("kind") == EntryKind.OPENING:
        return {
            "spending_waits": gettext("有一笔 %(amount)s 的开账申请等待审批", amount=facts.get("amount", "")),
            "spending_late": gettext("%(amount)s 的开账申请等待审批已经超过期限", amount=facts.get("amount", "")),
        }
    return {
        "spending_waits": gettext("有一笔 %(amount)s 的支出申请等待审批", amount=facts.get("amount", "")),
        "spending_late": gettext("%(amount)s 的支出申请等待审批已经超过期限", amount=facts.get("amount", "")),
        "voucher_grant_waits": gettext("有一份 %(amount)s 的服务券名单等待审批", amount=facts.get("amount", "")),
        "voucher_refund_waits": gettext("有一笔 %(amount)s 的服务券退回申请等待审批", amount=facts.get("amount", "")),
    }


def of_life(facts: Mapping[str, Any]) -> dict[str, str]:
    """The alarms of 三访三问."""
    return {
        "festival_planned": gettext("%(day)s 的节日联谊已经排好，请定地点、问老人来不来", day=facts.get("day", "")),
        "condolence_late": gettext("三访的登门慰问到时间还没有做"),
        "condolence_unplaced": gettext("三访的登门慰问派不出去，请指定登门的人"),
        "death_told": gettext("来电或上门的人说有居民亡故，请核实后登记"),
        "asking_unanswered": gettext("三问的一条意见过了期限还没有答复"),
    }


def of_devices(facts: Mapping[str, Any]) -> dict[str, str]:
    """The alarms about 电子保姆; each names the device by its number, never whose it is."""
    device, account = facts.get("device", ""), facts.get("account", "")
    return {
        "device_silent": gettext("电子保姆 %(device)s 没有信号，请打电话问老人", device=device),
        "device_test_due": gettext("电子保姆 %(device)s 这个季度还没有实测", device=device),
        "device_unplaced": gettext("电子保姆 %(device)s 的信号派不出订单，请马上打电话处理", device=device),
        "device_elsewhere": gettext("电子保姆 %(device)s 还装在老人的旧家，请随老人改装或者换一台", device=device),
        "device_uninstalled": gettext("电子保姆 %(device)s 报警，但还没有登记装在谁家", device=device),
        "device_code_unknown": gettext(
            "电子保姆 %(device)s 报来不认识的代码 %(code)s，请打电话问老人", device=device, code=facts.get("code", "")
        ),
        "device_refused": gettext(
            "电子保姆（账号 %(account)s %(device)s）的报文没有接受，请查账号、密钥和时钟；急的请打电话",
            account=account,
            device=device,
        ),
    }
