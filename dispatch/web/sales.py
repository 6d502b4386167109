"""爱心义卖: planned on an agreement, counted blind by two people, banked whole, published."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.market import Facility, Goods, Sale
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.catalogue.prices import fen_of, yuan_of
from dispatch.rules.funds.terms import Commodity
from dispatch.rules.market.sales import SOURCE_LABELS, STATE_LABELS, SaleSource, SaleState
from dispatch.services import market
from dispatch.services.market import SaleDraft, selling
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, Work, change, make
from dispatch.web.knowledge import needed_day
from dispatch.web.orders.form import number
from dispatch.web.pages import Look
from dispatch.web.stock.door import amount_words

LOOKS = {
    SaleState.PLANNED: ("hourglass-split", "waiting"),
    SaleState.COUNTED: ("check-lg", "soon"),
    SaleState.BANKED: ("inbox", "moving"),
    SaleState.PUBLISHED: ("check-circle", "done"),
    SaleState.CANCELLED: ("x-circle", "quiet"),
}
SALE = "/<int(min=1, max=9223372036854775807):sale_id>"

blueprint = Blueprint("pages_sales", __name__, url_prefix="/sales")


def sale_look(state: str) -> Look:
    """Word, shape and tone of a sale's state."""
    icon, tone = LOOKS[SaleState(state)]
    return Look(gettext(STATE_LABELS[SaleState(state)]), icon, tone)


def source_word(source: str) -> str:
    """Whose goods they are."""
    return str(gettext(SOURCE_LABELS[SaleSource(source)]))


def said(amount: int, goods: Goods | None) -> str:
    """An amount of a line: own goods as the stock says it, others in pieces."""
    return amount_words(
        amount, goods.commodity if goods else str(Commodity.PIECE), goods.unit if goods else gettext("件")
    )


def kept_by(session: Session, sale: Sale, actor: Actor) -> list[Facility]:
    """The supermarkets of a sale's community that the actor keeps."""
    rows = market.overview(session, actor=actor, now=clock.now(session))
    mine = [row.facility for row in rows if row.keeper_id == actor.user_id and row.facility.holding_id is not None]
    return [one for one in mine if one.community_id == sale.community_id]


@blueprint.get("")
@allow(Right.CAMPAIGNS_READ)
def listing() -> str:
    """The sales, with the form of a new one."""
    return render_listing(current_actor(), NOTHING_WRONG)


def render_listing(actor: Actor, errors: Mapping[str, str]) -> str:
    """The list with what was typed."""
    with transaction() as session:
        partners = market.list_partners(session, actor=actor)
        agreements = market.agreements_of(session, [one.id for one in partners])
        return render_template(
            "sales/listing.html",
            sales=market.list_sales(session, actor=actor),
            agreements=[
                (one, partner) for partner in partners for one in agreements[partner.id] if one.purpose == "sale"
            ],
            choices=market.choices_for_gifts(session, actor=actor),
            sale_look=sale_look,
            yuan_of=yuan_of,
            may_run=actor.may(Right.CAMPAIGNS_RUN),
            today=clock.today(clock.now(session)),
            typed=request.form,
            errors=errors,
        )


@blueprint.post("")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def plan() -> Response:
    """Plan a sale."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        form = request.form
        fund, _, wish = form.get("fund", "").partition(":")
        draft = SaleDraft(
            name=form.get("name", ""),
            place=form.get("place", ""),
            held_on=needed_day(form, "held_on"),
            agreement_id=number(form, "agreement_id") or 0,
            fund_id=number({"fund_id": fund}, "fund_id") or 0,
            earmark_id=number({"earmark_id": wish}, "earmark_id"),
        )
        return url_for("pages_sales.show", sale_id=market.plan_sale(session, draft, actor=actor, now=now).id)

    return make(work, render_listing)


@blueprint.get(SALE)
@allow(Right.CAMPAIGNS_READ)
def show(sale_id: int) -> str:
    """One sale; the figure is hidden until two people have counted the same."""
    return render_sale(sale_id, current_actor(), NOTHING_WRONG)


def render_sale(sale_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page of a sale; raises NotFound."""
    with transaction() as session:
        sale = market.find_sale(session, sale_id, actor=actor)
        choices = market.choices_for_gifts(session, actor=actor)
        return render_template(
            "sales/show.html",
            sale=sale,
            look=sale_look(sale.state),
            fund=next((one.name for one in choices.funds if one.id == sale.fund_id), "—"),
            wish=next((one.name for one in choices.wishes if one.id == sale.earmark_id), None),
            lines=selling.lines_of_sale(session, sale_id),
            kept=(mine := kept_by(session, sale, actor)),
            goods=[one for one in market.list_goods(session, actor=actor) if one.community_id == sale.community_id]
            if mine
            else (),
            sources=[(one, source_word(one)) for one in SaleSource if one is not SaleSource.OWN],
            source_word=source_word,
            said=said,
            banks=[one for one in choices.holdings if one.kind == "bank" and one.community_id == sale.community_id],
            has_counted=sale.first_by is not None and sale.first_by == actor.user_id,
            may_run=actor.may(Right.CAMPAIGNS_RUN),
            may_count=actor.may(Right.MARKET_COUNT),
            may_bank=actor.may(Right.FUNDS_BOOK),
            yuan_of=yuan_of,
            typed=request.form,
            errors=errors,
            now=clock.now(session),
        )


def changed(sale_id: int, work: Work) -> Response:
    """Do one step of a sale and show it."""
    return change(work, partial(render_sale, sale_id), url_for("pages_sales.show", sale_id=sale_id))


@blueprint.post(f"{SALE}/counts")
@allow(Right.MARKET_COUNT)
@retrying
def count(sale_id: int) -> Response:
    """Enter what one person counted."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        market.count_sale(session, sale_id, fen_of(request.form.get("yuan", ""), "fen"), actor=actor, now=now)

    return changed(sale_id, work)


@blueprint.post(f"{SALE}/banking")
@allow(Right.FUNDS_BOOK)
@retrying
def bank(sale_id: int) -> Response:
    """Bank all that was counted."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        fen, holding_id = fen_of(request.form.get("yuan", ""), "fen"), number(request.form, "holding_id") or 0
        market.bank_sale(session, sale_id, fen, holding_id, actor=actor, now=now)

    return changed(sale_id, work)


@blueprint.post(f"{SALE}/publication")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def publish(sale_id: int) -> Response:
    """Publish the result."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        market.publish_sale(session, sale_id, request.form.get("result", ""), actor=actor, now=now)

    return changed(sale_id, work)


@blueprint.post(f"{SALE}/cancellation")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def cancel(sale_id: int) -> Response:
    """Call it off."""
    return changed(sale_id, lambda session, actor, _: market.cancel_sale(session, sale_id, actor=actor))
