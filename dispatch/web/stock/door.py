"""The blueprint of the keeper's pages, and what they share: amounts, days and states in words."""

from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from flask import Blueprint, request
from flask_babel import gettext

from dispatch.errors import Invalid
from dispatch.rules.funds import terms
from dispatch.rules.funds.spoken import number_of, smallest
from dispatch.rules.market.keeping import Finding, expected_finding
from dispatch.rules.market.shelf import LotShelf, Spot
from dispatch.web.orders.form import number
from dispatch.web.pages import Look

blueprint = Blueprint("pages_stock", __name__, url_prefix="/stock")

ID = "<int(min=1, max=9223372036854775807):{}>"
PICTURE = "data:image/png;base64,"
LONGEST_PICTURE = 400_000


def amount_words(amount: int, commodity: str, unit: str) -> str:
    """An amount as the keeper says it: 12.5 斤, 3 盒."""
    said = number_of(amount, terms.Commodity(commodity))
    return f"{said} {gettext('斤') if commodity == terms.Commodity.GRAM else unit}"


def read_amount(text: str, commodity: str, field: str = "amount") -> int:
    """What was typed (斤, or pieces) in grams or pieces; raises Invalid."""
    try:
        typed = Decimal(text.strip())
    except InvalidOperation as error:
        raise Invalid(field, "请填写数量") from error
    return smallest(field, typed, terms.Commodity(commodity))


def read_purse(form: Mapping[str, str]) -> tuple[int, int | None]:
    """The fund and wish of the form; raises Invalid("purse")."""
    fund, _, wish = form.get("purse", "").partition("-")
    fund_id = number({"purse": fund}, "purse")
    if fund_id is None:
        raise Invalid("purse", "请选择基金")
    return fund_id, number({"purse": wish}, "purse")


def day_look(shelf: LotShelf, today: date, *, near_days: int) -> Look:
    """What a lot's last good day and where it stands mean today, in words, shape and colour."""
    if shelf.is_recalled:
        return Look(gettext("已召回"), "x-circle", "late")
    found = expected_finding(shelf, today=today, near_days=near_days)
    if found is Finding.EXPIRED:
        last = shelf.last_good_day
        words = gettext("保质期不明") if last is None else gettext("已过期 %(days)s 天", days=(today - last).days)
        return Look(words, "exclamation-triangle", "late")
    if shelf.spot is Spot.QUARANTINE:
        return Look(gettext("隔离中，不能发"), "x-circle", "late")
    return good_look(shelf, found, today)


def good_look(shelf: LotShelf, found: Finding, today: date) -> Look:
    """The same of what may be given."""
    last = shelf.last_good_day
    if last is None:
        return Look(gettext("不看保质期"), "check-circle", "quiet")
    if found is Finding.NEAR:
        days = (last - today).days
        words = gettext("今天最后一天") if days == 0 else gettext("还剩 %(days)s 天", days=days)
        return Look(words, "hourglass-split", "soon")
    return Look(gettext("好"), "check-circle", "done")


def spot_words() -> dict[str, str]:
    """Where in a facility goods stand."""
    return {
        str(Spot.STORE): gettext("仓库"),
        str(Spot.SHELF): gettext("货架"),
        str(Spot.QUARANTINE): gettext("隔离区"),
    }


def finding_words() -> dict[str, str]:
    """What a round finds."""
    return {
        str(Finding.GOOD): gettext("完好"),
        str(Finding.NEAR): gettext("临期"),
        str(Finding.EXPIRED): gettext("过期"),
        str(Finding.SPOILED): gettext("变质破损"),
    }


def cause_words() -> dict[str, str]:
    """Why goods are destroyed."""
    return finding_words() | {"recalled": gettext("召回")}


def kind_words() -> dict[str, str]:
    """What kind of facility it is."""
    return {
        "love_market": gettext("爱心超市"),
        "overseas_market": gettext("侨爱超市"),
        "chat_room": gettext("爱心聊吧"),
    }


def step_words() -> dict[str, str]:
    """What a step of stock was."""
    return {
        "receive": gettext("入库"),
        "shelve": gettext("上下架"),
        "transfer": gettext("调拨"),
        "quarantine": gettext("隔离"),
        "release": gettext("解除隔离"),
        "hand_out": gettext("发放"),
        "parcel": gettext("发爱心包"),
        "kit": gettext("装爱心包"),
        "shipment": gettext("发运"),
        "sale": gettext("义卖"),
        "return": gettext("退回"),
        "adjust": gettext("盘点调整"),
        "dispose": gettext("销毁"),
        "reverse": gettext("冲正"),
    }


def read_signature() -> bytes:
    """The signature of the form: drawn (a data address) or a PNG file; raises Invalid("signature")."""
    sent = request.files.get("signature_file")
    if sent is not None and sent.filename:
        return sent.read()
    drawn = request.form.get("signature", "")
    if not drawn.startswith(PICTURE) or len(drawn) > LONGEST_PICTURE:
        raise Invalid("signature", "请在框里签名")
    try:
        return b64decode(drawn.removeprefix(PICTURE), validate=True)
    except Error as error:
        raise Invalid("signature", "请在框里签名") from error
