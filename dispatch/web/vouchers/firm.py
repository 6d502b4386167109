"""What a firm does with vouchers: looks at a card, takes what it is owed, sees what it took and what was settled."""

import secrets
from collections.abc import Mapping
from datetime import datetime

from flask import Blueprint, Response, make_response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid
from dispatch.gateways import limits
from dispatch.gateways.limits import wrong_codes
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.funds.terms import Commodity
from dispatch.services.care import vouchers
from dispatch.services.care.vouchers import NewRedemption, ShownVoucher, UnknownCode
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import errors_of, make, status_of
from dispatch.web.funds import KEY_BITS, read_amount
from dispatch.web.orders.form import number
from dispatch.web.vouchers.door import ROWS, card_on_table, words
from dispatch.web.vouchers.settling import csv_of

blueprint = Blueprint("pages_redeeming", __name__, url_prefix="/redeem")


@blueprint.get("")
@allow(Right.VOUCHERS_REDEEM)
def show() -> str:
    """The field for a card's code, and what the firm took lately."""
    return render_page(current_actor(), None, {})


def render_page(actor: Actor, shown: ShownVoucher | None, errors: Mapping[str, str]) -> str:
    """The page of a firm with what was typed; raises NotAFirm."""
    before = number(request.args, "before")
    with transaction() as session:
        firm = vouchers.firm_of(session, actor)
        rows = vouchers.redemptions_of_firm(session, firm.id, actor=actor, before=before, limit=ROWS + 1)
        return render_template(
            "vouchers/redeem.html",
            firm=firm.name,
            shown=shown,
            rows=rows[:ROWS],
            following=rows[ROWS - 1].redemption.id if len(rows) > ROWS else None,
            settlements=vouchers.list_settlements(session, actor=actor, performer_id=firm.id, limit=ROWS),
            form_key=request.form.get("form_key") or str(secrets.randbits(KEY_BITS)),
            done=request.args.get("done"),
            typed=request.form,
            errors=errors,
            now=clock.now(session),
            **words(),
        )


@blueprint.post("/card")
@allow(Right.VOUCHERS_REDEEM)
@wrong_codes
def look() -> Response:
    """Show part of the name and what is left, before anything is taken."""
    actor = current_actor()
    try:
        with limits.guessing(UnknownCode), transaction() as session:
            shown = vouchers.look_up(session, request.form.get("code", ""), actor=actor)
    except (Invalid, Conflict) as error:
        return make_response(render_page(actor, None, errors_of(error)), status_of(error))
    return make_response(render_page(actor, shown, {}))


@blueprint.post("")
@allow(Right.VOUCHERS_REDEEM)
@wrong_codes
@retrying
def redeem() -> Response:
    """Take it; the form sent twice takes once."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        form = request.form
        wanted = NewRedemption(
            form.get("code", ""),
            read_amount(form, "yuan", Commodity.FEN, "请填写大于零的金额"),
            form.get("what", ""),
            form.get("order_number") or None,
            number(form, "form_key"),
        )
        with limits.guessing(UnknownCode):
            made = vouchers.redeem(session, wanted, actor=actor, now=now)
        return url_for("pages_redeeming.show", done=made.fen)

    return make(work, render_refused)


def render_refused(actor: Actor, errors: Mapping[str, str]) -> str:
    """The page as it was, with the card that is still on the table, and what was wrong."""
    shown = None if "code" in errors else card_on_table(request.form.get("code", ""), actor)
    return render_page(actor, shown, {"yuan" if field == "fen" else field: one for field, one in errors.items()})


@blueprint.get("/statement.csv")
@allow(Right.VOUCHERS_REDEEM)
def sheet() -> Response:
    """What the firm took in a month, as a file; raises Invalid("month"), NotAFirm."""
    actor, month = current_actor(), request.args.get("month", "")
    with transaction() as session:
        firm = vouchers.firm_of(session, actor)
        return csv_of(firm.name, month, vouchers.redemptions_of_month(session, firm.id, month, actor=actor))
