"""Funds, wishes, holdings and the journal over HTTP: read within reach, booked once per key, taken back, receipted."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Response, url_for
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.gateways import limits
from dispatch.models.funds import Entry, Receipt
from dispatch.rules.access.roles import Right
from dispatch.rules.funds.booking import Booking
from dispatch.rules.funds.draft import Foreign
from dispatch.rules.funds.shown import purpose_shown
from dispatch.rules.funds.terms import EntryKind, HoldingKind, Owner, Purpose
from dispatch.schemas import funds as schemas
from dispatch.services import funds
from dispatch.services.funds import EntryRow, EntryView, FundRow, HoldingRow, JournalPage
from dispatch.transaction import transaction

blueprint = Blueprint("funds", __name__, url_prefix="/api", description="基金与账目 · Funds and the journal")

ID = "<int(min=1, max=9223372036854775807):{}_id>"
FUND, ENTRY = f"/funds/{ID.format('fund')}", f"/journal/{ID.format('journal_entry')}"
RECEIPT = f"/receipts/{ID.format('receipt')}"
APART = frozenset({"amounts", "words", "digest", "purpose"})
OF_ENTRY = tuple(name for name in schemas.EntryOut().fields if name not in APART)
OF_FUND = tuple(name for name in schemas.FundOut().fields if name != "left")
OF_HOLDING = tuple(name for name in schemas.HoldingOut().fields if name != "held")
OF_RECEIPT = tuple(name for name in schemas.ReceiptOut().fields if name != "number")
OF_WISH = tuple(schemas.WishOut().fields)
ABROAD = ("currency", "foreign_minor", "rate", "rate_on")


def plain(names: Sequence[str], row: object) -> dict[str, Any]:
    """Some columns of a row."""
    return {name: getattr(row, name) for name in names}


def balances(amounts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Amounts by commodity."""
    return [{"commodity": commodity, "amount": amount} for commodity, amount in sorted(amounts.items())]


def fund_out(row: FundRow) -> dict[str, Any]:
    """What leaves of a fund."""
    return plain(OF_FUND, row.fund) | {"left": balances(row.left)}


def holding_out(row: HoldingRow) -> dict[str, Any]:
    """What leaves of a holding."""
    return plain(OF_HOLDING, row.holding) | {"held": balances(row.held)}


def entry_out(row: EntryRow) -> dict[str, Any]:
    """What leaves of an entry: of a hand-out no ground."""
    entry = row.entry
    return plain(OF_ENTRY, entry) | {
        "digest": entry.digest.hex(),
        "purpose": purpose_shown(entry.kind, entry.purpose),
        "amounts": balances(row.amounts),
        "words": row.words,
    }


def receipt_out(receipt: Receipt) -> dict[str, Any]:
    """What leaves of a receipt: nothing of who gave."""
    return plain(OF_RECEIPT, receipt) | {"number": funds.number_of(receipt)}


def whole_entry_out(view: EntryView) -> dict[str, Any]:
    """What leaves of an entry that is looked at alone."""
    lines = [{name: getattr(one, name) for name in schemas.EntryLineOut().fields} for one in view.lines]
    return entry_out(view.as_row()) | {
        **plain(("made_by", "approved_by", *ABROAD), view.entry),
        "reversed_by": view.reversed_by,
        "lines": lines,
        "receipts": [receipt_out(one) for one in view.receipts],
    }


def read_booking(data: Mapping[str, Any]) -> Booking:
    """The booking that a body describes."""
    apart = {"kind": EntryKind(data["kind"])}
    if data["purpose"] is not None:
        apart["purpose"] = Purpose(data["purpose"])
    if data["foreign"] is not None:
        apart["foreign"] = Foreign(**data["foreign"])
    return Booking(**(data | apart))


def entry_changed(route: str, data: Mapping[str, Any], work: Callable[[Session, datetime], Entry]) -> Response:
    """Do what makes an entry; it is shown."""

    def made(session: Session) -> Answer:
        entry = work(session, clock.now(session))
        view = funds.view_entry(session, entry.id, actor=actor())
        location = url_for("funds.OneEntry", journal_entry_id=entry.id)
        return 201, schemas.WholeEntryOut().dump(whole_entry_out(view)), {"Location": location}

    return once(route, data, made)


@blueprint.route("/funds")
class Funds(MethodView):
    """The funds."""

    @allow(Right.FUNDS_READ)
    @blueprint.response(200, schemas.FundsOut)
    def get(self) -> Mapping[str, Any]:
        """List the funds with what may be spent of each."""
        with transaction() as session:
            return {"items": [fund_out(row) for row in funds.list_funds(session, actor=actor())]}

    @allow(Right.FUNDS_APPROVE)
    @blueprint.takes(schemas.OpenFund, schemas.FundOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Open a fund for purposes that are never changed; 409 for a code that is taken."""

        def work(session: Session) -> Answer:
            read = data | {"owner": Owner(data["owner"]), "purposes": [Purpose(one) for one in data["purposes"]]}
            made = funds.open_fund(session, read.pop("community_id"), **read, actor=actor(), now=clock.now(session))
            return 201, schemas.FundOut().dump(fund_out(FundRow(made, {}))), {}

        return once("funds.open", data, work)


@blueprint.route(f"{FUND}/wishes")
class Wishes(MethodView):
    """The givers' wishes within a fund."""

    @allow(Right.FUNDS_READ)
    @blueprint.response(200, schemas.WishesOut)
    def get(self, fund_id: int) -> Mapping[str, Any]:
        """List the wishes that may still be chosen."""
        with transaction() as session:
            fund = funds.find_fund(session, fund_id, actor=actor())
            found = funds.list_earmarks(session, fund_id=fund.id, actor=actor())
            return {"items": [plain(OF_WISH, one) for one in found]}

    @allow(Right.FUNDS_BOOK)
    @blueprint.takes(schemas.AddWish, schemas.WishOut, status=201)
    def post(self, data: Mapping[str, Any], fund_id: int) -> Response:
        """Add a wish, with purposes of its own that are never changed."""

        def work(session: Session) -> Answer:
            fund = funds.find_fund(session, fund_id, actor=actor())
            purposes = [Purpose(one) for one in data["purposes"]]
            about = {"name": data["name"], "purposes": purposes}
            made = funds.add_earmark(session, fund, **about, actor=actor(), now=clock.now(session))
            return 201, schemas.WishOut().dump(plain(OF_WISH, made)), {}

        return once(f"funds.add_wish:{fund_id}", data, work)


@blueprint.route(f"{FUND}/balances")
class Balances(MethodView):
    """The accounts of a fund."""

    @allow(Right.FUNDS_READ)
    @blueprint.response(200, schemas.AccountsOut)
    def get(self, fund_id: int) -> Mapping[str, Any]:
        """List what is owed by wish, and what lies where."""
        with transaction() as session:
            fund = funds.find_fund(session, fund_id, actor=actor())
            names = tuple(schemas.AccountOut().fields)
            return {"items": [plain(names, one) for one in funds.accounts_in(session, fund.id)]}


@blueprint.route("/holdings")
class Holdings(MethodView):
    """Where money and goods lie."""

    @allow(Right.FUNDS_READ)
    @blueprint.response(200, schemas.HoldingsOut)
    def get(self) -> Mapping[str, Any]:
        """List the holdings with what lies there."""
        with transaction() as session:
            return {"items": [holding_out(row) for row in funds.list_holdings(session, actor=actor())]}

    @allow(Right.FUNDS_BOOK)
    @blueprint.takes(schemas.AddHolding, schemas.HoldingOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Add a bank account or a till; 409 for a code that is taken."""

        def work(session: Session) -> Answer:
            read = data | {"kind": HoldingKind(data["kind"])}
            made = funds.add_holding(session, read.pop("community_id"), **read, actor=actor(), now=clock.now(session))
            return 201, schemas.HoldingOut().dump(holding_out(HoldingRow(made, {}))), {}

        return once("funds.add_holding", data, work)


@blueprint.route("/journal")
class Journal(MethodView):
    """The journal."""

    @allow(Right.FUNDS_READ, limit=limits.SEARCH)
    @blueprint.arguments(schemas.JournalQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.EntriesOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List entries, the newest first."""
        which = JournalPage(**{name: query[name] for name in ("fund_id", "first", "last", "origin", "origin_id")})
        with transaction() as session:
            rows = funds.list_entries(session, which, actor=actor(), before=query["cursor"], limit=query["limit"] + 1)
            shown = rows[: query["limit"]]
            following = shown[-1].entry.id if len(rows) > query["limit"] else None
            return {"items": [entry_out(row) for row in shown], "next": following}

    @allow(Right.FUNDS_BOOK)
    @blueprint.takes(schemas.Book, schemas.WholeEntryOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Book money; 409 for spending that has to be asked for first, 422 for what is not there or not for this."""
        return entry_changed(
            "funds.book",
            data,
            lambda session, now: funds.book(session, read_booking(data), actor=actor(), now=now),
        )


@blueprint.route(ENTRY)
class OneEntry(MethodView):
    """One entry."""

    @allow(Right.FUNDS_READ)
    @blueprint.response(200, schemas.WholeEntryOut)
    def get(self, journal_entry_id: int) -> Mapping[str, Any]:
        """Show an entry with its lines and receipts."""
        with transaction() as session:
            return whole_entry_out(funds.view_entry(session, journal_entry_id, actor=actor()))


@blueprint.route(f"{ENTRY}/reversal")
class Reversal(MethodView):
    """An entry that was a mistake."""

    @allow(Right.FUNDS_BOOK)
    @blueprint.takes(schemas.Reverse, schemas.WholeEntryOut, status=201)
    def post(self, data: Mapping[str, Any], journal_entry_id: int) -> Response:
        """Take an entry back whole, once (409), with a reason; 409 too for what was made elsewhere, or takes two."""
        return entry_changed(
            f"funds.reverse:{journal_entry_id}",
            data,
            lambda session, now: funds.take_back(session, journal_entry_id, **data, actor=actor(), now=now),
        )


@blueprint.route(f"{ENTRY}/receipt")
class IssuedReceipt(MethodView):
    """The receipt of a gift."""

    @allow(Right.FUNDS_BOOK)
    @blueprint.takes(schemas.IssueReceipt, schemas.ReceiptOut, status=201)
    def post(self, data: Mapping[str, Any], journal_entry_id: int) -> Response:
        """Give a gift its receipt with the next number of the year; 409 where it has one."""

        def work(session: Session) -> Answer:
            made = funds.issue_receipt(session, journal_entry_id, **data, actor=actor(), now=clock.now(session))
            location = url_for("funds.OneReceipt", receipt_id=made.id)
            return 201, schemas.ReceiptOut().dump(receipt_out(made)), {"Location": location}

        return once(f"funds.issue_receipt:{journal_entry_id}", data, work)


@blueprint.route(RECEIPT)
class OneReceipt(MethodView):
    """A receipt."""

    @allow(Right.FUNDS_READ)
    @blueprint.response(200, schemas.ReceiptOut)
    def get(self, receipt_id: int) -> Mapping[str, Any]:
        """Show a receipt, without who gave."""
        with transaction() as session:
            return receipt_out(funds.find_receipt(session, receipt_id, actor=actor()))


@blueprint.route(f"{RECEIPT}/void")
class VoidReceipt(MethodView):
    """A receipt that is void."""

    @allow(Right.FUNDS_BOOK)
    @blueprint.takes(schemas.Because, schemas.ReceiptOut)
    def post(self, data: Mapping[str, Any], receipt_id: int) -> Response:
        """Make it void with a reason, once (409); its number is never used again."""

        def work(session: Session) -> Answer:
            made = funds.void_receipt(session, receipt_id, **data, actor=actor(), now=clock.now(session))
            return 200, schemas.ReceiptOut().dump(receipt_out(made)), {}

        return once(f"funds.void_receipt:{receipt_id}", data, work)
