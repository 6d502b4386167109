"""银行对账: a month's file read in, both sides beside each other, matched by hand, confirmed by a second person."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial

from flask import Blueprint, Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.funds import BankStatement
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.funds.bank_csv import MOST_BYTES
from dispatch.services import funds
from dispatch.services.funds import NewStatement
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import change, make
from dispatch.web.funds import read_yuan, words
from dispatch.web.orders.form import number, numbers

blueprint = Blueprint("pages_bank", __name__, url_prefix="/funds/bank")


@blueprint.get("")
@allow(Right.FUNDS_READ)
def listing() -> str:
    """The statements, and the form for the next one."""
    return render_listing(current_actor(), {})


def render_listing(actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed."""
    with transaction() as session:
        return render_template(
            "funds/bank.html",
            statements=funds.list_bank_statements(session, actor=actor),
            holdings=[one for one in funds.list_holdings(session, actor=actor) if one.holding.kind == "bank"],
            errors=errors,
            typed=request.form,
            **words(),
        )


@blueprint.post("")
@allow(Right.FUNDS_BOOK)
@retrying
def read_in() -> Response:
    """Read a month's file in."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        return address_of(funds.import_statement(session, read_statement(), actor=actor, now=now).id)

    return make(work, render_listing)


def read_statement() -> NewStatement:
    """What the form says; raises Invalid naming the field."""
    form, file = request.form, request.files.get("file")
    try:
        month = date.fromisoformat(f"{form.get('month', '')}-01")
    except ValueError as error:
        raise Invalid("month", "请选择已经结束的月份") from error
    return NewStatement(
        holding_id=number(form, "holding_id") or 0,
        month=month,
        opening_fen=read_yuan(form, "opening"),
        closing_fen=read_yuan(form, "closing"),
        content=file.stream.read(MOST_BYTES + 1) if file is not None else b"",
    )


@blueprint.get("/<int(max=9223372036854775807):statement_id>")
@allow(Right.FUNDS_READ)
def show(statement_id: int) -> str:
    """One month: each line of the bank with its entry, and the entries that the bank does not have."""
    return render_statement(statement_id, current_actor(), {})


def render_statement(statement_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page of a statement; raises NotFound."""
    with transaction() as session:
        view = funds.view_statement(session, statement_id, actor=actor)
        return render_template(
            "funds/statement.html", view=view, one=view.statement, errors=errors, typed=request.form, **words()
        )


@blueprint.post("/<int(max=9223372036854775807):statement_id>/confirm")
@allow(Right.FUNDS_APPROVE)
@retrying
def confirm(statement_id: int) -> Response:
    """Confirm a month that somebody else read in."""
    note = request.form.get("note", "")
    return change(
        lambda session, actor, now: funds.confirm_statement(session, statement_id, note=note, actor=actor, now=now),
        partial(render_statement, statement_id),
        address_of(statement_id),
    )


@blueprint.get("/lines/<int(max=9223372036854775807):line_id>")
@allow(Right.FUNDS_READ)
def line(line_id: int) -> str:
    """One line of the bank: the entries that it is, or those that it may be."""
    return render_line(line_id, current_actor(), {})


def render_line(line_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page of a line with what was typed; raises NotFound."""
    with transaction() as session:
        view = funds.view_line(session, line_id, actor=actor)
        chosen = request.form.getlist("entry_ids")
        about = {"view": view, "line": view.line, "one": view.statement, "chosen": chosen}
        return render_template("funds/line.html", errors=errors, typed=request.form, **about, **words())


@blueprint.post("/lines/<int(max=9223372036854775807):line_id>/entries")
@allow(Right.FUNDS_BOOK)
@retrying
def match(line_id: int) -> Response:
    """Say which entries a line is."""
    chosen = numbers(request.form.getlist("entry_ids"), "entry_ids")
    return settled(line_id, lambda *about, **who: funds.match_entries(*about, chosen, **who))


@blueprint.post("/lines/<int(max=9223372036854775807):line_id>/undo")
@allow(Right.FUNDS_BOOK)
@retrying
def undo(line_id: int) -> Response:
    """Take back what a line was said to be, with a reason."""
    reason = request.form.get("reason", "")
    return settled(line_id, lambda *about, **who: funds.undo_match(*about, reason=reason, **who))


def settled(line_id: int, work: Callable[..., BankStatement]) -> Response:
    """Do something about a line and show its month; a refusal is shown on the line's page with what was typed."""
    return make(
        lambda session, actor, now: address_of(work(session, line_id, actor=actor, now=now).id),
        partial(render_line, line_id),
    )


def address_of(statement_id: int) -> str:
    """The page of a statement."""
    return url_for("pages_bank.show", statement_id=statement_id)
