"""The blueprint of the staff's pages about vouchers, and the words that they share."""

from typing import Any

from flask import Blueprint
from flask_babel import gettext

from dispatch.errors import Conflict, Invalid
from dispatch.gateways import limits
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.vouchers import (
    CARD_END_LABELS,
    GRANT_LABELS,
    REFUND_LABELS,
    VOUCHER_LABELS,
    CardEnd,
    GrantState,
    RefundState,
    VoucherState,
    said,
)
from dispatch.services.care import vouchers
from dispatch.services.care.vouchers import ShownVoucher, StatementLine, UnknownCode
from dispatch.transaction import transaction
from dispatch.web.pages import Look

ID = "<int(min=1, max=9223372036854775807):{}_id>"
ROWS = 50
LOOKS = {
    "asked": ("hourglass-split", "waiting"),
    "open": ("check-circle", "done"),
    "granted": ("check-circle", "done"),
    "done": ("check-circle", "done"),
    "booked": ("check-circle", "done"),
    "frozen": ("lock", "late"),
}
PAYMENT_LABELS = {
    "asked": "等待付款审批",
    "booked": "已付款",
    "refused": "没有批准",
    "withdrawn": "已撤回",
    "reversed": "付款已冲正",
}

blueprint = Blueprint("pages_vouchers", __name__, url_prefix="/vouchers")


def card_on_table(code: str, actor: Actor) -> ShownVoucher | None:
    """The card that a firm was looking at when something was wrong; None for a code of none, which is a guess."""
    try:
        with limits.guessing(UnknownCode), transaction(actor.scope) as session:
            return vouchers.look_up(session, code, actor=actor)
    except (Invalid, Conflict):
        return None


def looked(word: str, state: str) -> Look:
    """Word, shape and tone of a state."""
    icon, tone = LOOKS.get(state, ("x-circle", "quiet"))
    return Look(gettext(word), icon, tone)


def line_word(line: StatementLine) -> str:
    """What a line of a statement says."""
    word = {
        "granted": gettext("发放"),
        "taken": line.what,
        "refunded": gettext("退回：%(what)s", what=line.what),
        "lapsed": gettext("到期收回"),
    }
    return str(word[line.kind])


def words() -> dict[str, Any]:
    """What the templates say of vouchers, in the reader's language."""
    return {
        "yuan": said,
        "voucher_look": lambda state: looked(VOUCHER_LABELS[VoucherState(state)], state),
        "grant_look": lambda state: looked(GRANT_LABELS[GrantState(state)], state),
        "refund_look": lambda state: looked(REFUND_LABELS[RefundState(state)], state),
        "payment_look": lambda state: looked(PAYMENT_LABELS[state], state),
        "line_word": line_word,
        "card_end_word": lambda end: gettext(CARD_END_LABELS[CardEnd(end)]),
    }
