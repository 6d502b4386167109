"""基金: the community's funds and where their money lies, each entry, booking, reversing, receipts."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.gateways import limits
from dispatch.models.funds import Entry, Spending
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.funds.booking import BY_HAND, Booking
from dispatch.rules.funds.draft import Foreign
from dispatch.rules.funds.labels import HOLDING_LABELS, KIND_LABELS, OWNER_LABELS, PURPOSE_LABELS
from dispatch.rules.funds.money import DIGITS
from dispatch.rules.funds.shown import purpose_label
from dispatch.rules.funds.spoken import smallest, spoken
from dispatch.rules.funds.terms import Commodity, EntryKind, HoldingKind, Owner, Purpose
from dispatch.services import funds
from dispatch.services.funds import AlreadyAsked, AlreadyPosted
from dispatch.services.market.undoing import take_back_or_ask
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import Render, Work, change, make
from dispatch.web.knowledge import read_day
from dispatch.web.orders.form import number

ROWS = 50
KEY_BITS = 62
LONGEST_DECIMAL = 40

blueprint = Blueprint("pages_funds", __name__, url_prefix="/funds")


def words() -> dict[str, Any]:
    """What the templates say of the journal's terms, in the reader's language."""
    return {
        "amount_words": lambda amount, commodity: spoken(amount, Commodity(commodity)),
        "kind_word": lambda kind: gettext(KIND_LABELS[EntryKind(kind)]),
        "purpose_word": lambda purpose: gettext(PURPOSE_LABELS[Purpose(purpose)]),
        "entry_purpose": lambda entry: gettext(label) if (label := purpose_label(entry.kind, entry.purpose)) else "—",
        "owner_word": lambda owner: gettext(OWNER_LABELS[Owner(owner)]),
        "holding_word": lambda kind: gettext(HOLDING_LABELS[HoldingKind(kind)]),
    }


@blueprint.get("")
@allow(Right.FUNDS_READ, limit=limits.SEARCH)
def listing() -> str:
    """The funds with what may be spent, where it lies, and the newest entries page by page."""
    actor, before = current_actor(), number(request.args, "before")
    with transaction() as session:
        rows = funds.list_entries(session, actor=actor, before=before, limit=ROWS + 1)
        return render_template(
            "funds/listing.html",
            funds=funds.list_funds(session, actor=actor),
            holdings=funds.list_holdings(session, actor=actor),
            entries=rows[:ROWS],
            following=rows[ROWS - 1].entry.id if len(rows) > ROWS else None,
            before=before,
            **words(),
        )


@blueprint.get("/<int(max=9223372036854775807):fund_id>")
@allow(Right.FUNDS_READ)
def show(fund_id: int) -> str:
    """One fund: its accounts, and the lines of what is owed or of one account, newest first."""
    account, before = number(request.args, "account"), number(request.args, "before")
    with transaction() as session:
        fund = funds.find_fund(session, fund_id, actor=current_actor())
        accounts = funds.accounts_in(session, fund.id)
        chosen = [one.id for one in accounts if one.id == account or (account is None and one.side == "custody")]
        lines = funds.lines_of_accounts(session, chosen, before=before, limit=ROWS + 1)
        return render_template(
            "funds/show.html",
            fund=fund,
            accounts=accounts,
            account=account,
            by_id={one.id: one for one in accounts},
            lines=lines[:ROWS],
            following=lines[ROWS - 1].Entry.id if len(lines) > ROWS else None,
            **words(),
        )


@blueprint.get("/entries/<int(max=9223372036854775807):entry_id>")
@allow(Right.FUNDS_READ)
def entry(entry_id: int) -> str:
    """One entry with its lines, what takes it back, its receipts."""
    return render_entry(entry_id, current_actor(), {})


def render_entry(entry_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page of an entry; raises NotFound."""
    with transaction() as session:
        view = funds.view_entry(session, entry_id, actor=actor)
        return render_template(
            "funds/entry.html",
            view=view,
            entry=view.entry,
            receipts=[(one, funds.number_of(one)) for one in view.receipts],
            asked=funds.reversals_asked(session, (entry_id,)).get(entry_id),
            may_receipt=view.entry.kind == EntryKind.GIFT and view.reversed_by is None,
            errors=errors,
            typed=request.form,
            now=clock.now(session),
            **words(),
        )


@blueprint.get("/book")
@allow(Right.FUNDS_BOOK)
def book_form() -> str:
    """The empty form of an entry."""
    return render_form(current_actor(), {"form_key": str(secrets.randbits(KEY_BITS))}, {})


def render_form(actor: Actor, typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    """The form with what was typed."""
    with transaction() as session:
        rows = funds.list_funds(session, actor=actor)
        names = {row.fund.id: row.fund.name for row in rows}
        return render_template(
            "funds/book.html",
            funds=[row for row in rows if row.fund.closed_at is None],
            wishes=[(one, names.get(one.fund_id, "")) for one in funds.list_earmarks(session, actor=actor)],
            holdings=[one for one in funds.list_holdings(session, actor=actor) if one.holding.kind in {"bank", "till"}],
            kinds=BY_HAND,
            purposes=[one for one in Purpose if one is not Purpose.ANY],
            currencies=sorted(DIGITS),
            today=clock.today(clock.now(session)),
            typed=typed,
            errors=errors,
            **words(),
        )


@blueprint.post("/book")
@allow(Right.FUNDS_BOOK)
@retrying
def book() -> Response:
    """Post what the form says, once, or ask for it; a gift gets its receipt where a name or the wish is given."""
    form = request.form

    def work(session: Session, actor: Actor, now: datetime) -> Entry | Spending:
        booking = read_booking(form)
        if funds.must_be_approved(session, booking, actor=actor):
            return funds.ask_spending(session, booking, actor=actor, now=now)
        made = funds.book(session, booking, actor=actor, now=now)
        if booking.kind is EntryKind.GIFT and form.get("with_receipt"):
            name = form.get("received_from", "")
            funds.issue_receipt(session, made.id, received_from=name, actor=actor, now=now)
        return made

    return booked(work, lambda actor, errors: render_form(actor, form, errors))


def booked(work: Callable[[Session, Actor, datetime], Entry | Spending], render: Render) -> Response:
    """Book what a form says, once, or ask for it; a refusal is shown with what was typed."""
    form_key = number(request.form, "form_key")

    def step(session: Session, actor: Actor, now: datetime) -> str:
        try:
            made = work(session, actor, now)
        except AlreadyPosted:
            return entry_address(funds.entry_of_form(session, form_key or 0, actor=actor))
        except AlreadyAsked:
            return spending_address(funds.spending_of_form(session, form_key, actor=actor))
        return spending_address(made.id) if isinstance(made, Spending) else entry_address(made.id)

    return make(step, render)


def read_booking(form: Mapping[str, str]) -> Booking:
    """What the form means; raises Invalid naming the field."""
    kind, purpose = form.get("kind", ""), form.get("purpose", "")
    if kind not in set(BY_HAND):
        raise Invalid("kind", "请选择一类账")
    fund, _, wish = form.get("fund_id", "").partition(":")
    foreign = read_foreign(form)
    amount = None if foreign is not None and not form.get("amount", "").strip() else read_fen(form)
    return Booking(
        kind=EntryKind(kind),
        fund_id=number({"fund_id": fund}, "fund_id") or 0,
        earmark_id=number({"fund_id": wish}, "fund_id"),
        holding_id=number(form, "holding_id") or 0,
        to_holding_id=number(form, "to_holding_id"),
        amount_fen=amount,
        purpose=Purpose(purpose) if purpose in set(Purpose) else None,
        happened_on=read_day(form, "happened_on"),
        words=form.get("words", ""),
        foreign=foreign,
        form_key=number(form, "form_key"),
    )


def read_fen(form: Mapping[str, str]) -> int:
    """The yuan of the form in fen; raises Invalid."""
    return read_amount(form, "amount", Commodity.FEN, "请填写大于零的数量")


def read_amount(form: Mapping[str, str], field: str, commodity: Commodity, message: str) -> int:
    """An amount of the form in the smallest unit; raises Invalid naming the field."""
    return smallest(field, read_decimal(form, field, message), commodity)


def read_yuan(form: Mapping[str, str], field: str) -> int:
    """A balance of the form in fen, also nothing; raises Invalid naming the field."""
    yuan = read_decimal(form, field, "请填写余额，没有就填 0")
    return smallest(field, yuan, Commodity.FEN) if yuan else 0


def read_decimal(form: Mapping[str, str], field: str, message: str) -> Decimal:
    """A plain decimal number; raises Invalid naming the field."""
    text = form.get(field, "").strip().replace(",", "")
    if not text.isascii() or not text.replace(".", "", 1).isdigit() or len(text) > LONGEST_DECIMAL:
        raise Invalid(field, message)
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise Invalid(field, message) from error


def read_foreign(form: Mapping[str, str]) -> Foreign | None:
    """Money of abroad, where a currency is chosen; raises Invalid naming the field."""
    currency = form.get("currency", "").strip()
    if not currency:
        return None
    if currency not in DIGITS:
        raise Invalid("currency", "不认识这种货币，请填三个字母的代码，如 USD")
    exact = read_decimal(form, "foreign_amount", "外币金额要大于零").scaleb(DIGITS[currency])
    if exact != exact.to_integral_value():
        raise Invalid("foreign_amount", "外币金额的小数位太多")
    rate_on = read_day(form, "rate_on")
    if rate_on is None:
        raise Invalid("rate_on", "请填写汇率的日期")
    return Foreign(currency, int(exact), read_decimal(form, "rate", "汇率要大于零，最多十位小数"), rate_on)


@blueprint.post("/entries/<int(max=9223372036854775807):entry_id>/reverse")
@allow(Right.FUNDS_BOOK)
@retrying
def reverse(entry_id: int) -> Response:
    """Take an entry back, with a reason, or ask for it where it takes a second person."""
    said = request.form.get("words", "")
    return changed(
        entry_id, lambda session, actor, now: take_back_or_ask(session, entry_id, words=said, actor=actor, now=now)
    )


@blueprint.post("/entries/<int(max=9223372036854775807):entry_id>/receipt")
@allow(Right.FUNDS_BOOK)
@retrying
def issue(entry_id: int) -> Response:
    """Give a gift its receipt."""
    name = request.form.get("received_from", "")
    return changed(
        entry_id,
        lambda session, actor, now: funds.issue_receipt(session, entry_id, received_from=name, actor=actor, now=now),
    )


def changed(entry_id: int, work: Work) -> Response:
    """Do something about an entry and show it."""
    return change(work, partial(render_entry, entry_id), entry_address(entry_id))


def spending_address(spending_id: int | None) -> str:
    """Where to see what waits for its approval."""
    return url_for("pages_spendings.show", spending_id=spending_id or 0)


def entry_address(entry_id: int | None) -> str:
    """An entry's page."""
    return url_for("pages_funds.entry", entry_id=entry_id or 0)


@blueprint.get("/receipts/<int(max=9223372036854775807):receipt_id>")
@allow(Right.FUNDS_READ)
def receipt(receipt_id: int) -> str:
    """A receipt to print."""
    return render_receipt(receipt_id, current_actor(), {})


def render_receipt(receipt_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page of a receipt; raises NotFound."""
    with transaction() as session:
        found = funds.find_receipt(session, receipt_id, actor=actor)
        return render_template(
            "funds/receipt.html",
            receipt=found,
            number=funds.number_of(found),
            name=funds.name_on(found),
            view=funds.view_entry(session, found.entry_id, actor=actor),
            errors=errors,
            **words(),
        )


@blueprint.post("/receipts/<int(max=9223372036854775807):receipt_id>/void")
@allow(Right.FUNDS_BOOK)
@retrying
def void(receipt_id: int) -> Response:
    """Make a receipt void, with a reason; its number stays."""
    reason = request.form.get("reason", "")
    return change(
        lambda session, actor, now: funds.void_receipt(session, receipt_id, reason=reason, actor=actor, now=now),
        partial(render_receipt, receipt_id),
        url_for("pages_funds.receipt", receipt_id=receipt_id),
    )
