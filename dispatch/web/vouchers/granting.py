"""Vouchers and their lists: what waits, the form of the next list, its approval by another."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from flask import Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import NotFound
from dispatch.models.care import VoucherGrant
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.care.vouchers import FEN_OF_A_VOUCHER, last_day
from dispatch.rules.funds.terms import Commodity
from dispatch.services import funds
from dispatch.services.access import policies
from dispatch.services.care import vouchers
from dispatch.services.care.vouchers import NewGrant
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import change, make
from dispatch.web.funds import read_amount
from dispatch.web.knowledge import needed_day
from dispatch.web.orders.form import number
from dispatch.web.vouchers.door import ID, ROWS, blueprint, words

GRANT = f"/grants/{ID.format('grant')}"
MONTHS = "care.voucher_months"
FEN_IN_A_YUAN = 100


@blueprint.get("")
@allow(Right.VOUCHERS_READ)
def listing() -> str:
    """The vouchers, the newest lists, and what waits to be taken back."""
    actor, before = current_actor(), number(request.args, "before")
    with transaction() as session:
        rows = vouchers.list_vouchers(session, actor=actor, before=before, limit=ROWS + 1)
        return render_template(
            "vouchers/listing.html",
            rows=rows[:ROWS],
            following=rows[ROWS - 1].voucher.id if len(rows) > ROWS else None,
            grants=[] if before else vouchers.list_grants(session, actor=actor, limit=ROWS),
            refunds=[] if before else vouchers.refunds_waiting(session, actor=actor),
            now=clock.now(session),
            **words(),
        )


@blueprint.get("/grants/new")
@allow(Right.VOUCHERS_GRANT)
def new_grant() -> str:
    """The form of a list: everybody who is enrolled and has none this year is on it already."""
    return render_form(current_actor(), {})


def render_form(actor: Actor, errors: Mapping[str, str]) -> str:
    """The form with what was typed."""
    with transaction() as session:
        today = clock.today(clock.now(session))
        year = number(request.form, "year") or today.year
        months = int(policies.policy(session, min(actor.scope.communities, default=0), MONTHS))
        typed = request.form or {
            "yuan": str(FEN_OF_A_VOUCHER // FEN_IN_A_YUAN),
            "year": str(year),
            "expires_on": last_day(today, months).isoformat(),
        }
        return render_template(
            "vouchers/new_grant.html",
            people=vouchers.candidates(session, year, today, actor=actor),
            chosen=set(request.form.getlist("people")),
            funds=funds.list_funds(session, actor=actor),
            holdings=[row for row in funds.list_holdings(session, actor=actor) if row.holding.kind in {"bank", "till"}],
            is_first=not request.form,
            typed=typed,
            errors=errors,
            **words(),
        )


@blueprint.post("/grants")
@allow(Right.VOUCHERS_GRANT)
@retrying
def ask_grant() -> Response:
    """Ask for the list."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        form = request.form
        wanted = NewGrant(
            year=number(form, "year") or clock.today(now).year,
            fund_id=number(form, "fund_id") or 0,
            holding_id=number(form, "holding_id") or 0,
            fen=read_amount(form, "yuan", Commodity.FEN, "请填写大于零的金额"),
            expires_on=needed_day(form, "expires_on"),
            residents=tuple(int(one) for one in form.getlist("people") if one.isascii() and one.isdigit()),
        )
        made = vouchers.ask_grant(session, wanted, actor=actor, now=now)
        return url_for("pages_vouchers.show_grant", grant_id=made.id)

    return make(work, lambda actor, errors: render_form(actor, as_typed(errors)))


def as_typed(errors: Mapping[str, str]) -> Mapping[str, str]:
    """What is wrong stands at the field as the form calls it."""
    return {"yuan" if field == "fen" else field: words for field, words in errors.items()}


@blueprint.get(GRANT)
@allow(Right.VOUCHERS_READ)
def show_grant(grant_id: int) -> str:
    """One list: who is on it, and the buttons of who may decide."""
    return render_grant(grant_id, current_actor(), {})


def render_grant(grant_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed; raises NotFound."""
    with transaction() as session:
        found = vouchers.list_grants(session, actor=actor, grant_id=grant_id, limit=1)
        if not found:
            raise NotFound
        return render_template(
            "vouchers/grant.html",
            row=found[0],
            people=vouchers.list_vouchers(session, actor=actor, grant_id=grant_id, limit=10 * ROWS)[::-1],
            is_mine=actor.user_id is not None and actor.user_id == found[0].grant.asked_by,
            errors=errors,
            typed=request.form,
            now=clock.now(session),
            **words(),
        )


@blueprint.post(f"{GRANT}/approve")
@allow(Right.VOUCHERS_APPROVE)
@retrying
def approve_grant(grant_id: int) -> Response:
    """Grant what another asked for."""
    return decided(grant_id, vouchers.approve_grant)


@blueprint.post(f"{GRANT}/refuse")
@allow(Right.VOUCHERS_APPROVE)
@retrying
def refuse_grant(grant_id: int) -> Response:
    """Refuse it, with a reason."""
    reason = request.form.get("reason", "")
    return decided(grant_id, lambda *about, **who: vouchers.refuse_grant(*about, reason=reason, **who))


@blueprint.post(f"{GRANT}/withdraw")
@allow(Right.VOUCHERS_GRANT)
@retrying
def withdraw_grant(grant_id: int) -> Response:
    """Take back what one asked for oneself."""
    return decided(grant_id, vouchers.withdraw_grant)


def decided(grant_id: int, work: Callable[..., VoucherGrant]) -> Response:
    """Do something about a list and show it."""
    return change(
        lambda session, actor, now: work(session, grant_id, actor=actor, now=now),
        partial(render_grant, grant_id),
        url_for("pages_vouchers.show_grant", grant_id=grant_id),
    )
