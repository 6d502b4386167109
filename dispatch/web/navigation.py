"""The top bar: what this person may open and this application has; what is not daily work stands under 更多."""

from dataclasses import dataclass, replace

from flask import current_app, g
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from dispatch.rules.access.roles import Actor, Right


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """One entry of the top bar: shown to whoever holds the right; what is not daily work stands under 更多.

    With `daily_for` it is daily work of whoever holds that right, and under 更多 for everybody else.
    """

    endpoint: str
    label: LazyString
    icon: str
    right: Right | None
    is_daily: bool = True
    daily_for: Right | None = None


ITEMS: tuple[NavigationItem, ...] = (
    NavigationItem("pages_orders.desk", lazy_gettext("坐席台"), "telephone-inbound", Right.ORDERS_PLACE),
    NavigationItem("pages_orders.board", lazy_gettext("班长台"), "kanban", Right.BOARD_READ),
    NavigationItem("pages_orders.listing", lazy_gettext("订单"), "list-ul", Right.ORDERS_READ),
    NavigationItem("pages_orders.requests", lazy_gettext("申请与督办"), "chat-left-text", Right.ORDERS_DECIDE),
    NavigationItem("pages_orders.callbacks", lazy_gettext("回访"), "telephone-outbound", Right.ORDERS_CALL_BACK),
    NavigationItem("pages_counselling.mine", lazy_gettext("我的预约"), "calendar3", Right.COUNSELLING_COUNSEL),
    NavigationItem(
        "pages_counselling.listing", lazy_gettext("预约"), "calendar3", Right.COUNSELLING_BOOK, is_daily=False
    ),
    NavigationItem("pages_counselling.holder", lazy_gettext("保管人"), "lock", Right.COUNSELLING_HOLD, is_daily=False),
    NavigationItem("pages_station.counter", lazy_gettext("服务站"), "shop", Right.STATION_KEEP, is_daily=False),
    NavigationItem("pages_courses.listing", lazy_gettext("课程"), "people", Right.COURSES_RUN, is_daily=False),
    NavigationItem("pages_giving.listing", lazy_gettext("捐赠"), "gift", Right.PLEDGES_TAKE, is_daily=False),
    NavigationItem("pages_sales.listing", lazy_gettext("爱心义卖"), "shop", Right.CAMPAIGNS_READ, is_daily=False),
    NavigationItem(
        "pages_stock.overview", lazy_gettext("库存"), "box-seam", Right.MARKET_READ, daily_for=Right.MARKET_KEEP
    ),
    NavigationItem("pages_rounds.listing", lazy_gettext("年度发放"), "gift", Right.CAMPAIGNS_READ, is_daily=False),
    NavigationItem("pages_shipments.listing", lazy_gettext("赈灾发运"), "send", Right.CAMPAIGNS_READ, is_daily=False),
    NavigationItem("pages_campaigns.overview", lazy_gettext("爱心活动"), "heart", Right.CAMPAIGNS_READ, is_daily=False),
    NavigationItem(
        "pages_funds.listing", lazy_gettext("基金"), "cash-coin", Right.FUNDS_READ, daily_for=Right.FUNDS_BOOK
    ),
    NavigationItem("pages_abroad.show", lazy_gettext("侨爱年度摘录"), "heart", Right.FUNDS_READ, is_daily=False),
    NavigationItem("pages_life.listing", lazy_gettext("三访"), "heart", Right.LIFE_READ, is_daily=False),
    NavigationItem("pages_care.listing", lazy_gettext("关爱"), "heart", Right.VISITS_READ),
    NavigationItem("pages_care.my_day", lazy_gettext("今天去哪"), "geo-alt", Right.VISITS_RECORD),
    NavigationItem("pages_festivals.listing", lazy_gettext("节日联谊"), "calendar3", Right.LIFE_READ, is_daily=False),
    NavigationItem("pages_family.listing", lazy_gettext("家属查看"), "eye", Right.VISITS_PLAN, is_daily=False),
    NavigationItem("pages_vouchers.listing", lazy_gettext("服务券"), "cash-coin", Right.VOUCHERS_READ, is_daily=False),
    NavigationItem("pages_redeeming.show", lazy_gettext("服务券核销"), "cash-coin", Right.VOUCHERS_REDEEM),
    NavigationItem("pages_devices.listing", lazy_gettext("电子保姆"), "heart", Right.DEVICES_READ, is_daily=False),
    NavigationItem("pages_asking.listing", lazy_gettext("三问"), "chat-left-text", Right.ASKING_TAKE, is_daily=False),
    NavigationItem("pages_firms.listing", lazy_gettext("服务商"), "person-check", Right.CATALOGUE_READ, is_daily=False),
    NavigationItem(
        "pages_knowledge.listing", lazy_gettext("知识库"), "info-circle", Right.CATALOGUE_READ, is_daily=False
    ),
    NavigationItem("pages_reports.report", lazy_gettext("报表"), "bar-chart", Right.REPORTS_READ, is_daily=False),
    NavigationItem("pages_counter.show", lazy_gettext("领取柜台"), "person-check", Right.MARKET_KEEP),
    NavigationItem(
        "pages_beneficiaries.listing", lazy_gettext("救助对象"), "person", Right.BENEFICIARIES_READ, is_daily=False
    ),
    NavigationItem("pages_home.mine", lazy_gettext("我的片"), "geo-alt", Right.ORDERS_WORK),
    NavigationItem("pages_orders.escalations", lazy_gettext("提醒我的"), "exclamation-triangle", Right.NOTICES_READ),
    NavigationItem("pages_calendar.show", lazy_gettext("工作日历"), "calendar3", Right.CATALOGUE_EDIT, is_daily=False),
    NavigationItem("pages_home.inbox", lazy_gettext("收件箱"), "inbox", Right.NOTICES_READ),
)
ONLY_NARROWED = frozenset({"pages_home.mine"})
"""What shows a part of a community: only to whoever sees no more than a part."""
ONLY_HELPERS = frozenset({"pages_care.my_day"})
"""What shows the homes that somebody visits: only to whoever is sent on orders and is no firm."""
ONLY_FIRMS = frozenset({"pages_redeeming.show"})
"""What takes a voucher: only to a firm; helpers and team workers are sent on orders too."""


def navigation(actor: Actor | None) -> list[NavigationItem]:
    """The entries that this actor may open and that this application has."""
    if actor is None:
        return []
    views = current_app.view_functions.keys() - (frozenset() if actor.narrowed else ONLY_NARROWED)
    is_firm = bool(g.get("is_firm"))
    views -= ONLY_HELPERS if is_firm or actor.performer_id is None else frozenset()
    views -= frozenset() if is_firm else ONLY_FIRMS
    return [
        item if item.daily_for is None else replace(item, is_daily=actor.may(item.daily_for))
        for item in ITEMS
        if item.endpoint in views and (item.right is None or actor.may(item.right))
    ]
