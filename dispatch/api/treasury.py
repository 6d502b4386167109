"""Consents, spending that another approves, and the bank's months over HTTP; what a second person does is no key's."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Response, url_for
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.funds import ENTRY, entry_changed, plain, read_booking
from dispatch.api.once import Answer, once
from dispatch.models.funds import BankStatement, Spending
from dispatch.rules.access.roles import Right
from dispatch.rules.funds.terms import Commodity
from dispatch.schemas import funds as schemas
from dispatch.services import funds
from dispatch.services.funds import NewConsent, NewStatement, StatementView, Wish
from dispatch.services.market.undoing import ask_back
from dispatch.transaction import transaction

blueprint = Blueprint("treasury", __name__, url_prefix="/api", description="同意书、支出申请与银行对账 · Treasury")

ID = "<int(min=1, max=9223372036854775807):{}_id>"
CONSENT, SPENDING = f"/consents/{ID.format('consent')}", f"/spendings/{ID.format('spending')}"
STATEMENT, LINE = f"/bank-statements/{ID.format('statement')}", f"/bank-lines/{ID.format('bank_line')}"
OF_CONSENT = tuple(schemas.ConsentOut().fields)
OF_SPENDING = tuple(schemas.SpendingOut().fields)
OF_STATEMENT = tuple(schemas.BankStatementOut().fields)
OF_MATCHED = tuple(schemas.MatchedOut().fields)
OF_LINE = ("id", "number", "booked_on", "amount_fen", "reference", "words")


def statement_out(view: StatementView) -> dict[str, Any]:
    """What leaves of a month with both sides."""
    return plain(OF_STATEMENT, view.statement) | {
        "lines": [
            plain(OF_LINE, row.line)
            | {"by_hand": row.by_hand, "entries": [plain(OF_MATCHED, one) for one in row.entries]}
            for row in view.lines
        ],
        "missing": [plain(OF_MATCHED, one) for one in view.missing],
        "unmatched": view.unmatched,
        "unexplained_fen": view.unexplained,
        "difference_fen": view.difference,
    }


@blueprint.route("/consents")
class Consents(MethodView):
    """Donors' consents to another wish."""

    @allow(Right.FUNDS_READ)
    @blueprint.response(200, schemas.ConsentsOut)
    def get(self) -> Mapping[str, Any]:
        """List those on which nobody has acted yet."""
        with transaction() as session:
            return {"items": [plain(OF_CONSENT, one) for one in funds.open_consents(session, actor=actor())]}

    @allow(Right.FUNDS_BOOK)
    @blueprint.takes(schemas.RecordConsent, schemas.ConsentOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Write down what a donor agreed to, with the evidence; who gave it is sealed."""

        def work(session: Session) -> Answer:
            wishes = {name: Wish(**data[name]) for name in ("origin", "target")}
            read = data | wishes | {"commodity": Commodity(data["commodity"])}
            made = funds.record_consent(
                session, read.pop("community_id"), NewConsent(**read), actor=actor(), now=clock.now(session)
            )
            return 201, schemas.ConsentOut().dump(plain(OF_CONSENT, made)), {}

        return once("funds.record_consent", data, work)


@blueprint.route(f"{CONSENT}/change")
class WishChange(MethodView):
    """The change that a donor agreed to."""

    @allow(Right.FUNDS_BOOK)
    @blueprint.takes(schemas.ChangeWish, schemas.WholeEntryOut, status=201)
    def post(self, data: Mapping[str, Any], consent_id: int) -> Response:
        """Move what was agreed to the other wish, once (409); 403 for what the same hand has recorded."""
        return entry_changed(
            f"funds.change_wish:{consent_id}",
            data,
            lambda session, now: funds.change_earmark(session, consent_id, **data, actor=actor(), now=now),
        )


def asked(route: str, data: Mapping[str, Any], work: Callable[[Session, datetime], Spending]) -> Response:
    """Ask for something; it is shown."""

    def done(session: Session) -> Answer:
        made = work(session, clock.now(session))
        location = url_for("treasury.OneSpending", spending_id=made.id)
        return 201, schemas.SpendingOut().dump(plain(OF_SPENDING, made)), {"Location": location}

    return once(route, data, done)


@blueprint.route("/spendings")
class Spendings(MethodView):
    """Spending that waits for a second person, or was decided."""

    @allow(Right.FUNDS_READ)
    @blueprint.arguments(schemas.SpendingQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.SpendingsOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List it, the newest first."""
        with transaction() as session:
            rows = funds.list_spendings(session, actor=actor(), before=query["cursor"], limit=query["limit"] + 1)
            shown = [row.spending for row in rows[: query["limit"]]]
            following = shown[-1].id if len(rows) > query["limit"] else None
            return {"items": [plain(OF_SPENDING, one) for one in shown], "next": following}

    @allow(Right.FUNDS_BOOK)
    @blueprint.takes(schemas.AskSpending, schemas.SpendingOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Ask for spending; a person approves it on `/funds/spendings`, a key never does."""
        return asked(
            "funds.ask_spending",
            data,
            lambda session, now: funds.ask_spending(session, read_booking(data), actor=actor(), now=now),
        )


@blueprint.route(f"{ENTRY}/reversal-request")
class ReversalRequest(MethodView):
    """An entry that one person may not take back alone."""

    @allow(Right.FUNDS_BOOK)
    @blueprint.takes(schemas.Reverse, schemas.SpendingOut, status=201)
    def post(self, data: Mapping[str, Any], journal_entry_id: int) -> Response:
        """Ask for it, also for a gift's line; a person approves it on `/funds/spendings`, a key never does."""
        return asked(
            f"funds.ask_reversal:{journal_entry_id}",
            data,
            lambda session, now: ask_back(session, journal_entry_id, **data, actor=actor(), now=now),
        )


@blueprint.route(SPENDING)
class OneSpending(MethodView):
    """One of them."""

    @allow(Right.FUNDS_READ)
    @blueprint.response(200, schemas.SpendingOut)
    def get(self, spending_id: int) -> Mapping[str, Any]:
        """Show it."""
        with transaction() as session:
            return plain(OF_SPENDING, funds.view_spending(session, spending_id, actor=actor()).spending)

    @allow(Right.FUNDS_BOOK)
    @blueprint.arguments(schemas.Nothing, required=False)
    @blueprint.response(200, schemas.SpendingOut)
    def delete(self, data: Mapping[str, Any], spending_id: int) -> Response:
        """Withdraw what the same key has asked for (else 403) while nobody has decided (else 409)."""

        def work(session: Session) -> Answer:
            gone = funds.withdraw_spending(session, spending_id, actor=actor(), now=clock.now(session))
            return 200, schemas.SpendingOut().dump(plain(OF_SPENDING, gone)), {}

        return once(f"funds.withdraw_spending:{spending_id}", data, work)


@blueprint.route("/bank-statements")
class BankStatements(MethodView):
    """The bank's months."""

    @allow(Right.FUNDS_READ)
    @blueprint.response(200, schemas.BankStatementsOut)
    def get(self) -> Mapping[str, Any]:
        """List those that stand, the newest first."""
        with transaction() as session:
            rows = funds.list_bank_statements(session, actor=actor())
            return {"items": [plain(OF_STATEMENT, row.BankStatement) for row in rows]}

    @allow(Right.FUNDS_BOOK)
    @blueprint.takes(schemas.ImportBankStatement, schemas.WholeBankStatementOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Read a month in and match it; another import of an open month replaces it. A person confirms it."""
        plainly = {name: data[name] for name in ("holding_id", "month", "opening_fen", "closing_fen")}
        new = NewStatement(**plainly, content=data["csv"].encode())
        return statement_changed(
            "funds.import_statement",
            data,
            lambda session, now: funds.import_statement(session, new, actor=actor(), now=now),
            201,
        )


@blueprint.route(STATEMENT)
class OneStatement(MethodView):
    """One month."""

    @allow(Right.FUNDS_READ)
    @blueprint.response(200, schemas.WholeBankStatementOut)
    def get(self, statement_id: int) -> Mapping[str, Any]:
        """Show both sides: each line with its entries, and the entries that no line is."""
        with transaction() as session:
            return statement_out(funds.view_statement(session, statement_id, actor=actor()))


def statement_changed(
    route: str, data: Mapping[str, Any], work: Callable[[Session, datetime], BankStatement], status: int = 200
) -> Response:
    """Do something about a month; it is shown."""

    def done(session: Session) -> Answer:
        statement = work(session, clock.now(session))
        view = funds.view_statement(session, statement.id, actor=actor())
        return status, schemas.WholeBankStatementOut().dump(statement_out(view)), {}

    return once(route, data, done)


@blueprint.route(f"{LINE}/entries")
class LineEntries(MethodView):
    """Which entries a line of the bank is."""

    @allow(Right.FUNDS_BOOK)
    @blueprint.takes(schemas.MatchEntries, schemas.WholeBankStatementOut)
    def post(self, data: Mapping[str, Any], bank_line_id: int) -> Response:
        """Say so by hand: together they come to the same fen (else 422), each once, the line too (else 409)."""
        return statement_changed(
            f"funds.match_entries:{bank_line_id}",
            data,
            lambda session, now: funds.match_entries(session, bank_line_id, **data, actor=actor(), now=now),
        )


@blueprint.route(f"{LINE}/undoing")
class LineUndoing(MethodView):
    """A match that was wrong."""

    @allow(Right.FUNDS_BOOK)
    @blueprint.takes(schemas.Because, schemas.WholeBankStatementOut)
    def post(self, data: Mapping[str, Any], bank_line_id: int) -> Response:
        """Take it back with a reason; 409 in a month that was confirmed."""
        return statement_changed(
            f"funds.undo_match:{bank_line_id}",
            data,
            lambda session, now: funds.undo_match(session, bank_line_id, **data, actor=actor(), now=now),
        )
