"""同意书: what donors agreed to, recorded by one person, and the change of wish made by another."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from flask import Blueprint, Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.funds.terms import Commodity
from dispatch.services import funds
from dispatch.services.funds import NewConsent, Wish
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import make
from dispatch.web.funds import read_amount, words
from dispatch.web.knowledge import needed_day
from dispatch.web.orders.form import number

blueprint = Blueprint("pages_consents", __name__, url_prefix="/funds/consents")


@blueprint.get("")
@allow(Right.FUNDS_READ)
def listing() -> str:
    """The consents on which nobody has acted, and the form of the next."""
    return render_listing(current_actor(), {})


def render_listing(actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed."""
    with transaction() as session:
        return render_template(
            "funds/consents.html",
            consents=funds.open_consents(session, actor=actor),
            names=funds.wish_names(session, actor=actor),
            today=clock.today(clock.now(session)),
            errors=errors,
            typed=request.form,
            **words(),
        )


@blueprint.post("")
@allow(Right.FUNDS_BOOK)
@retrying
def record() -> Response:
    """Write down what a donor agreed to."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        consent = read_consent(request.form)
        fund = funds.find_open_fund(session, consent.origin.fund_id, actor=actor)
        made = funds.record_consent(session, fund.community_id, consent, actor=actor, now=now)
        return url_for("pages_consents.show", consent_id=made.id)

    return make(work, lambda actor, errors: render_listing(actor, of_origin(errors)))


def of_origin(errors: Mapping[str, str]) -> Mapping[str, str]:
    """What is wrong with the fund stands at the wish that named it."""
    return {"origin" if field == "fund_id" else field: words for field, words in errors.items()}


def read_consent(form: Mapping[str, str]) -> NewConsent:
    """What the form means; raises Invalid naming the field."""
    given_on = needed_day(form, "given_on", "请填写同意的日期")
    return NewConsent(
        origin=read_wish(form, "origin"),
        target=read_wish(form, "target"),
        amount=read_amount(form, "amount", Commodity.FEN, "请填写大于零的数量"),
        given_by=form.get("given_by", ""),
        given_on=given_on,
        evidence=form.get("evidence", ""),
    )


def read_wish(form: Mapping[str, str], field: str) -> Wish:
    """A fund and a wish of it, or none."""
    fund, _, wish = form.get(field, "").partition(":")
    return Wish(number({"id": fund}, "id") or 0, number({"id": wish}, "id"))


@blueprint.get("/<int(max=9223372036854775807):consent_id>")
@allow(Right.FUNDS_READ)
def show(consent_id: int) -> str:
    """One consent: who gave it, and the change for who did not record it."""
    return render_consent(consent_id, current_actor(), {})


def render_consent(consent_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed; raises NotFound."""
    with transaction() as session:
        one = funds.find_consent(session, consent_id, actor=actor)
        return render_template(
            "funds/consent.html",
            one=one,
            giver=funds.consent_giver(one),
            entry_id=funds.entry_of_consent(session, one.id),
            names=funds.wish_names(session, actor=actor),
            holdings=funds.list_holdings(session, actor=actor),
            is_mine=actor.user_id is not None and actor.user_id == one.recorded_by,
            errors=errors,
            typed=request.form,
            **words(),
        )


@blueprint.post("/<int(max=9223372036854775807):consent_id>/change")
@allow(Right.FUNDS_BOOK)
@retrying
def change(consent_id: int) -> Response:
    """Move what was agreed to the other wish."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        form, consent = request.form, funds.find_consent(session, consent_id, actor=actor)
        message = "请填写大于零的数量"
        amount = read_amount(form, "amount", Commodity(consent.commodity), message) if form.get("amount") else None
        holding_id = number(form, "holding_id") or 0
        made = funds.change_earmark(session, consent_id, holding_id, amount=amount, actor=actor, now=now)
        return url_for("pages_funds.entry", entry_id=made.id)

    return make(work, partial(render_consent, consent_id))
