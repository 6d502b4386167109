"""捐赠登记: gifts received at the desk line by line, their receipts to print, thanks, lines taken back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from typing import Any

import segno
from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.market import Goods
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.funds.draft import Foreign
from dispatch.rules.funds.spoken import smallest, spoken
from dispatch.rules.funds.terms import Commodity
from dispatch.rules.market.gifts import WAY_LABELS, GiftItem, Package, Way
from dispatch.services import funds, market
from dispatch.services.market import GiftDraft
from dispatch.services.market.undoing import take_back_or_ask
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, make
from dispatch.web.giving.door import blueprint
from dispatch.web.knowledge import read_day
from dispatch.web.orders.form import number

MOST_SHOWN = 50
ROWS = 4
MOST_ROWS = 50
QR_SCALE = 4
COLUMNS = ("goods_id", "item", "amount", "produced_on", "expires_on")


def amount_words(amount: int, commodity: str) -> str:
    """An amount as it is said."""
    return spoken(amount, Commodity(commodity))


def way_word(way: str) -> str:
    """How a gift came."""
    return str(gettext(WAY_LABELS[Way(way)]))


@blueprint.get("/gifts")
@allow(Right.GIFTS_READ)
def gifts() -> str:
    """The gifts, newest first, with their lines."""
    with transaction() as session:
        rows = market.list_gifts(
            session, before=number(request.args, "before"), limit=MOST_SHOWN + 1, actor=current_actor()
        )
        shown = list(rows[:MOST_SHOWN])
        return render_template(
            "giving/gifts.html",
            rows=shown,
            lines=market.lines_of_gifts(session, [gift.id for gift in shown]),
            following=shown[-1].id if len(rows) > MOST_SHOWN else None,
            amount_words=amount_words,
            way_word=way_word,
            now=clock.now(session),
        )


@blueprint.get("/gifts/new")
@allow(Right.GIFTS_RECEIVE)
def new_gift() -> str:
    """The empty form, or that of a pledge that has come."""
    typed: dict[str, str] = {"way": "desk"}
    wanted = number(request.args, "pledge")
    if wanted is not None:
        with transaction() as session:
            pledge = market.find_pledge(session, wanted, actor=current_actor())
        typed |= {
            "pledge_id": str(pledge.id),
            "note": pledge.words,
            "way": str(Way.FETCHED if pledge.order_id else Way.DESK),
        }
    return render_gift_form(current_actor(), typed, NOTHING_WRONG)


def render_gift_form(actor: Actor, typed: Mapping[str, Any], errors: Mapping[str, str]) -> str:
    """The form of a gift with what was typed."""
    with transaction() as session:
        donor_id = typed.get("donor_id")
        return render_template(
            "giving/gift_form.html",
            choices=market.choices_for_gifts(session, actor=actor),
            ways=[(one, way_word(one)) for one in Way],
            rows=typed_rows(),
            typed=typed,
            errors=errors,
            donors=market.list_donors(session, limit=200, actor=actor),
            donor_id=donor_id,
            today=clock.today(clock.now(session)),
        )


def typed_rows() -> list[dict[str, str]]:
    """The rows of the table as they were typed, and empty ones to go on."""
    columns = [request.form.getlist(name)[:MOST_ROWS] for name in COLUMNS]
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in zip_longest(*columns, fillvalue="")]
    filled = [row for row in rows if any(cell.strip() for cell in row.values())]
    return filled + [dict.fromkeys(COLUMNS, "")] * max(1, ROWS - len(filled))


@blueprint.post("/gifts/new")
@allow(Right.GIFTS_RECEIVE)
@retrying
def receive_gift() -> Response:
    """Receive a gift."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        return address_of(market.receive_gift(session, read_gift(session, actor), actor=actor, now=now).id)

    return make(work, lambda actor, errors: render_gift_form(actor, request.form, errors))


def address_of(gift_id: int) -> str:
    """The page of a gift."""
    return url_for("pages_giving.gift", gift_id=gift_id)


def read_gift(session: Session, actor: Actor) -> GiftDraft:
    """What the form says of a gift; raises Invalid naming the field."""
    form = request.form
    if form.get("way") not in set(Way):
        raise Invalid("way", "请选择捐赠怎样来的")
    fund, _, wish = form.get("fund", "").partition(":")
    ids = {name: number({"fund": text}, "fund") for name, text in (("fund_id", fund), ("earmark_id", wish))}
    goods = {one.id: one for one in market.choices_for_gifts(session, actor=actor).goods}
    return GiftDraft(
        fund_id=ids["fund_id"] or 0,
        earmark_id=ids["earmark_id"],
        items=tuple(read_items(goods)),
        way=Way(form["way"]),
        donor_id=number(form, "donor_id"),
        pledge_id=number(form, "pledge_id"),
        holding_id=number(form, "holding_id"),
        facility_id=number(form, "facility_id"),
        is_named=bool(form.get("is_named")),
        happened_on=read_day(form, "happened_on"),
        note=form.get("note", ""),
    )


def read_items(goods: Mapping[int, Goods]) -> list[GiftItem]:
    """The rows of the table; rows left empty do not count. The foreign money stands behind the first row of money."""
    rows = [row for row in typed_rows() if any(cell.strip() for cell in row.values())]
    items = [read_item(row, goods) for row in rows]
    foreign = read_foreign()
    place = next((place for place, one in enumerate(items) if one.commodity is Commodity.FEN), None)
    if foreign is not None and place is not None:
        items[place] = replace(items[place], foreign=foreign)
    return items


def read_item(row: Mapping[str, str], goods: Mapping[int, Goods]) -> GiftItem:
    """One row: money without goods, else the goods' own unit; raises Invalid."""
    chosen = number(row, "goods_id")
    if chosen is not None and chosen not in goods:
        raise Invalid("lines", "物资要选品种，捐款不选")
    commodity = Commodity.FEN if chosen is None else Commodity(goods[chosen].commodity)
    amount = smallest("lines", read_decimal(row["amount"], "lines"), commodity) if row["amount"].strip() else 0
    package = Package(read_day(row, "produced_on"), read_day(row, "expires_on"))
    item = row["item"].strip() or (goods[chosen].name if chosen is not None else "捐款")
    return GiftItem(item, commodity, amount, chosen, package)


def read_decimal(text: str, field: str) -> Decimal:
    """A number as it was typed; raises Invalid."""
    try:
        found = Decimal(text.strip())
    except InvalidOperation as error:
        raise Invalid(field, "数量请用数字填写") from error
    if not found.is_finite():
        raise Invalid(field, "数量请用数字填写")
    return found


def read_foreign() -> Foreign | None:
    """Money of abroad, None when no currency was typed; raises Invalid."""
    form = request.form
    currency = form.get("currency", "").strip().upper()
    if not currency:
        return None
    day = read_day(form, "rate_on")
    minor = number(form, "foreign_minor")
    if day is None or minor is None:
        raise Invalid("currency", "外币要写明金额、汇率和汇率日期")
    return Foreign(currency, minor, read_decimal(form.get("rate", ""), "rate"), day)


@blueprint.get("/gifts/<int(min=1, max=9223372036854775807):gift_id>")
@allow(Right.GIFTS_READ)
def gift(gift_id: int) -> str:
    """One gift with its lines."""
    return render_gift(gift_id, current_actor(), NOTHING_WRONG)


def render_gift(gift_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page of a gift; raises NotFound."""
    with transaction() as session:
        found = market.find_gift(session, gift_id, actor=actor)
        donor = market.find_donor(session, found.donor_id, actor=actor) if found.donor_id else None
        receipts = market.receipts_of_gifts(session, [found.id])[found.id]
        lines = market.lines_of_gifts(session, [found.id])[found.id]
        return render_template(
            "giving/gift.html",
            gift=found,
            donor=donor,
            lines=lines,
            asked=funds.reversals_asked(session, [line.entry_id for line, _ in lines]),
            may_look=actor.may(Right.FUNDS_READ),
            stands=any(row.receipt.voided_at is None for row in receipts),
            numbers={row.line.id: row.number for row in receipts},
            amount_words=amount_words,
            way=way_word(found.way),
            may_receive=actor.may(Right.GIFTS_RECEIVE),
            errors=errors,
            now=clock.now(session),
        )


@blueprint.get("/gifts/<int(min=1, max=9223372036854775807):gift_id>/receipts")
@allow(Right.GIFTS_RECEIVE)
def receipts(gift_id: int) -> str:
    """The receipts that hold, to be printed: number, secret, and a picture that opens the look-up."""
    with transaction() as session:
        found = market.find_gift(session, gift_id, actor=current_actor())
        rows = [row for row in market.receipts_of_gifts(session, [found.id])[found.id] if row.receipt.voided_at is None]
        if not rows:
            raise NotFound
        address = url_for("give.receipt_form", community_id=found.community_id, _external=True)
        printed = [(row, funds.name_on(row.receipt), picture(f"{address}?number={row.number}")) for row in rows]
    return render_template("giving/receipts.html", gift=found, printed=printed, amount_words=amount_words)


def picture(address: str) -> str:
    """An address as a QR code."""
    return segno.make(address).svg_data_uri(scale=QR_SCALE)


@blueprint.post("/gifts/<int(min=1, max=9223372036854775807):gift_id>/thanks")
@allow(Right.GIFTS_RECEIVE)
@retrying
def thank(gift_id: int) -> Response:
    """Note that the donor was thanked."""
    with transaction() as session:
        market.thank(session, gift_id, actor=current_actor(), now=clock.now(session))
    return redirect(address_of(gift_id), 303)  # type: ignore[return-value]


@blueprint.post("/lines/<int(min=1, max=9223372036854775807):line_id>/reversal")
@allow(Right.GIFTS_RECEIVE)
@retrying
def reverse_line(line_id: int) -> Response:
    """Take a line back, or ask for it where it takes a second person; a refusal is shown on the page of its gift."""
    words = request.form.get("reason", "")
    with transaction() as session:
        line = market.find_line(session, line_id, actor=current_actor())
        gift_id, entry_id = line.gift_id, line.entry_id

    def work(session: Session, actor: Actor, now: datetime) -> str:
        take_back_or_ask(session, entry_id, words=words, actor=actor, now=now)
        return address_of(gift_id)

    return make(work, lambda actor, errors: render_gift(gift_id, actor, errors))
