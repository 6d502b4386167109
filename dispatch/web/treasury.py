"""基金设置: funds, givers' wishes and holdings to be, and what was counted when the books were taken over."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.funds import Entry, Spending
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.funds.terms import Commodity, HoldingKind, Owner, Purpose
from dispatch.services import funds
from dispatch.services.funds import Counted
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import Making, make
from dispatch.web.funds import KEY_BITS, booked, read_amount, words
from dispatch.web.giving.door import chosen_community, communities_of
from dispatch.web.knowledge import read_day
from dispatch.web.orders.form import number

OF_MONEY = (HoldingKind.BANK, HoldingKind.TILL)
PREFIX = "counted."

blueprint = Blueprint("pages_treasury", __name__, url_prefix="/funds")


@blueprint.get("/new")
@allow(Right.FUNDS_APPROVE)
def new_fund() -> str:
    """The form of a fund."""
    return render_form("fund", current_actor(), {})


@blueprint.get("/holdings/new")
@allow(Right.FUNDS_BOOK)
def new_holding() -> str:
    """The form of a bank account or a till."""
    return render_form("holding", current_actor(), {})


@blueprint.get("/<int(max=9223372036854775807):fund_id>/wishes/new")
@allow(Right.FUNDS_BOOK)
def new_wish(fund_id: int) -> str:
    """The form of a giver's wish."""
    return render_form("wish", current_actor(), {}, fund_id)


def render_form(which: str, actor: Actor, errors: Mapping[str, str], fund_id: int | None = None) -> str:
    """A form with what was typed; raises NotFound for a fund out of reach."""
    with transaction() as session:
        fund = None if fund_id is None else funds.find_fund(session, fund_id, actor=actor)
        purposes = [one for one in Purpose if fund is None or fund.purposes == [Purpose.ANY] or one in fund.purposes]
        return render_template(
            f"funds/new_{which}.html",
            communities=communities_of(session, actor),
            fund=fund,
            owners=list(Owner),
            places=OF_MONEY,
            purposes=purposes,
            chosen=request.form.getlist("purposes"),
            errors=errors,
            typed=request.form,
            **words(),
        )


@blueprint.post("/new")
@allow(Right.FUNDS_APPROVE)
@retrying
def open_fund() -> Response:
    """Open a fund."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        owner = request.form.get("owner", "")
        if owner not in set(Owner):
            raise Invalid("owner", "请选择归属")
        about = named() | {"owner": Owner(owner), "purposes": chosen_purposes()}
        made = funds.open_fund(session, chosen_community(), **about, actor=actor, now=now)
        return url_for("pages_funds.show", fund_id=made.id)

    return keep("fund", work)


@blueprint.post("/holdings/new")
@allow(Right.FUNDS_BOOK)
@retrying
def add_holding() -> Response:
    """Add a bank account or a till."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        kind = request.form.get("kind", "")
        if kind not in set(OF_MONEY):
            raise Invalid("kind", "请选择银行账户或钱箱")
        funds.add_holding(session, chosen_community(), kind=HoldingKind(kind), **named(), actor=actor, now=now)
        return url_for("pages_funds.listing")

    return keep("holding", work)


@blueprint.post("/<int(max=9223372036854775807):fund_id>/wishes/new")
@allow(Right.FUNDS_BOOK)
@retrying
def add_wish(fund_id: int) -> Response:
    """Add a giver's wish to a fund."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        fund = funds.find_fund(session, fund_id, actor=actor)
        name = request.form.get("name", "")
        funds.add_earmark(session, fund, name=name, purposes=chosen_purposes(), actor=actor, now=now)
        return url_for("pages_funds.show", fund_id=fund_id)

    return keep("wish", work, fund_id)


def named() -> dict[str, Any]:
    """Code and name of the form."""
    return {name: request.form.get(name, "") for name in ("code", "name")}


def chosen_purposes() -> list[Purpose]:
    """The purposes that were ticked; what is none is left out."""
    return [Purpose(one) for one in request.form.getlist("purposes") if one in set(Purpose)]


def keep(which: str, work: Making, fund_id: int | None = None) -> Response:
    """Make what the form says and go on; a refusal is shown at its field with what was typed."""
    return make(work, lambda actor, errors: render_form(which, actor, of_code(errors), fund_id))


def of_code(errors: Mapping[str, str]) -> Mapping[str, str]:
    """A code that is taken stands at its field."""
    return {"code": errors["form"]} if "form" in errors else errors


@blueprint.get("/take-over")
@allow(Right.FUNDS_BOOK)
def take_over_form() -> str:
    """What was counted when the books were taken over, by fund and wish."""
    return render_take_over(current_actor(), {"form_key": str(secrets.randbits(KEY_BITS))}, {})


def render_take_over(actor: Actor, typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    """The form with what was typed."""
    with transaction() as session:
        rows = [row.fund for row in funds.list_funds(session, actor=actor) if row.fund.closed_at is None]
        wishes = funds.list_earmarks(session, actor=actor)
        lines = [
            (f"{PREFIX}{fund.id}{'' if wish is None else f':{wish.id}'}", fund, wish)
            for fund in rows
            for wish in (None, *(one for one in wishes if one.fund_id == fund.id))
        ]
        return render_template(
            "funds/take_over.html",
            lines=lines,
            holdings=[row for row in funds.list_holdings(session, actor=actor) if row.holding.kind in OF_MONEY],
            today=clock.today(clock.now(session)),
            typed=typed,
            errors=errors,
            **words(),
        )


@blueprint.post("/take-over")
@allow(Right.FUNDS_BOOK)
@retrying
def take_over() -> Response:
    """Open the books of a holding with what was counted there, in one entry, once per form, or ask for it."""
    form = request.form

    def work(session: Session, actor: Actor, now: datetime) -> Entry | Spending:
        counted = read_counted(form)
        if funds.opening_must_be_approved(session, counted, actor=actor):
            return funds.ask_opening(session, counted, actor=actor, now=now)
        return funds.take_over(session, counted, actor=actor, now=now)

    return booked(work, lambda actor, errors: render_take_over(actor, form, errors))


def read_counted(form: Mapping[str, str]) -> Counted:
    """What the form says was counted; raises Invalid naming the field."""
    amounts = {}
    for name, value in form.items():
        fund, _, wish = name.removeprefix(PREFIX).partition(":")
        if name.startswith(PREFIX) and value.strip():
            fen = read_amount(form, name, Commodity.FEN, "请填写大于零的数量")
            known = number({"counted": fund}, "counted"), number({"counted": wish}, "counted")
            amounts[funds.Wish(known[0] or 0, known[1])] = fen
    return Counted(
        holding_id=number(form, "holding_id") or 0,
        fen=amounts,
        counted_on=read_day(form, "happened_on"),
        words=form.get("words", ""),
        form_key=number(form, "form_key"),
    )
