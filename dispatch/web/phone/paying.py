"""An order paid by a voucher at the door: the card is looked at, its name compared, some of it is taken, once."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from flask import Response, g, jsonify, make_response, redirect, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid
from dispatch.gateways import limits
from dispatch.gateways.limits import wrong_codes
from dispatch.models.orders import Order
from dispatch.rules.access.roles import EVERYTHING, Actor, ActorKind
from dispatch.rules.catalogue.prices import fen_of
from dispatch.services import orders
from dispatch.services.care import vouchers
from dispatch.services.care.vouchers import NewRedemption, ShownVoucher, UnknownCode
from dispatch.services.orders import NotYours, PhoneView
from dispatch.services.orders.offers import actor_of
from dispatch.transaction import retrying, transaction
from dispatch.web.changing import status_of
from dispatch.web.pages import told
from dispatch.web.phone import form, views
from dispatch.web.phone.acts import FORM_FIELD, Deed, done, html
from dispatch.web.phone.door import blueprint, by_link, refused, wants_json
from dispatch.web.vouchers.door import card_on_table


def of_firm(view: Callable[..., Response]) -> Callable[..., Response]:
    """Let in whoever has the address of an order that is theirs, and count wrong codes by the firm."""
    counted = wrong_codes(view)

    @wraps(view)
    def known(token: str) -> Response:
        with transaction(EVERYTHING) as session:
            g.firm_id = own_view(session, token, clock.now(session)).performer.id
        return counted(token)

    known.__qualname__ = f"{view.__qualname__}.known"  # limits are kept by this name: each asks where its key is known
    return by_link(known)


@blueprint.post("/<token>/card")
@of_firm
@retrying
def look_at_card(token: str) -> Response:
    """Show part of the name and what is left, before anything is taken."""
    try:
        with limits.guessing(UnknownCode), transaction(EVERYTHING) as session:
            now = clock.now(session)
            view = own_view(session, token, now)
            code = form.text_of(form.fields(), "code")
            shown = vouchers.look_up(session, code, actor=actor_of(view.recipient))
            page = views.page_of(session, view, shown=shown, now=now)
    except (Invalid, Conflict) as error:
        return unpaid(token, error)
    if wants_json():
        return jsonify(card_out(shown))
    return html(page, {}, {"code": code}, 200)


def own_view(session: Session, token: str, now: datetime) -> PhoneView:
    """What the link opens; raises NotYours where the order is not this firm's."""
    view = orders.open_link(session, token, now=now)
    if not view.is_mine:
        raise NotYours
    return view


def card_out(shown: ShownVoucher) -> dict[str, Any]:
    """A card for machines."""
    return {
        "number": shown.number,
        "name": shown.name,
        "left_fen": shown.left,
        "expires_on": shown.expires_on.isoformat(),
        "state": str(shown.state),
    }


@blueprint.post("/<token>/redeem")
@of_firm
def redeem(token: str) -> Response:
    """Take some of it for this order: the same key again gives the same answer, another is refused."""
    try:
        sent = form.fields()
        code, what = form.text_of(sent, "code"), form.text_of(sent, "what")
        fen = fen_of(form.text_of(sent, "yuan"), "yuan")

        def work(session: Session, now: datetime) -> Order:
            view = own_view(session, token, now)
            wanted = NewRedemption(code, fen, what, view.order.number)
            vouchers.redeem(session, wanted, actor=actor_of(view.recipient), now=now)
            return view.order

        with limits.guessing(UnknownCode):
            body, is_replayed = done(token, Deed({"code": code, "fen": fen, "what": what}, work), form.key_of(sent))
    except (Invalid, Conflict) as error:
        return unpaid(token, error)
    response = jsonify(body) if wants_json() else redirect(url_for("phone.show", token=token), 303)
    if is_replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return make_response(response)


@retrying
def unpaid(token: str, error: Invalid | Conflict) -> Response:
    """Why nothing was taken: problem details for machines, else the page with the card that is still on the table."""
    field = error.field if isinstance(error, Invalid) else "code"
    if isinstance(error, Invalid):
        error.field = FORM_FIELD.get(error.field, error.field)
        field = error.field
    if wants_json():
        return refused(error)
    sent = {name: value for name, value in request.form.items() if name != "key"}
    firm = Actor(ActorKind.PERFORMER, performer_id=g.firm_id, scope=EVERYTHING)
    shown = card_on_table(sent.get("code", ""), firm) if field in {"yuan", "what"} else None
    with transaction(EVERYTHING) as session:
        now = clock.now(session)
        page = views.page_of(session, orders.open_link(session, token, now=now), shown=shown, now=now)
    return html(page, {field: told(error)}, sent, status_of(error))
