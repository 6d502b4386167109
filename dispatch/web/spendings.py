"""支出与冲正申请: what waits for a second person, what became of it, approved or refused with a reason."""

from collections.abc import Callable, Mapping
from functools import partial

from flask import Blueprint, Response, render_template, request, url_for

from dispatch import clock
from dispatch.models.funds import Spending
from dispatch.rules.access.roles import Actor, Right
from dispatch.services import funds
from dispatch.services.market.undoing import approve_asked
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import change
from dispatch.web.funds import ROWS, words
from dispatch.web.orders.form import number

MOST_WAITING = 200

blueprint = Blueprint("pages_spendings", __name__, url_prefix="/funds/spendings")


@blueprint.get("")
@allow(Right.FUNDS_READ)
def listing() -> str:
    """What waits, the oldest first, and what was decided, page by page."""
    actor, before = current_actor(), number(request.args, "before")
    with transaction() as session:
        waiting = [] if before else funds.list_spendings(session, actor=actor, waiting=True, limit=MOST_WAITING)
        rows = funds.list_spendings(session, actor=actor, waiting=False, before=before, limit=ROWS + 1)
        return render_template(
            "funds/spendings.html",
            waiting=waiting,
            decided=rows[:ROWS],
            following=rows[ROWS - 1].spending.id if len(rows) > ROWS else None,
            before=before,
            now=clock.now(session),
            **words(),
        )


@blueprint.get("/<int(max=9223372036854775807):spending_id>")
@allow(Right.FUNDS_READ)
def show(spending_id: int) -> str:
    """One of them: what is asked, by whom, and the buttons of who may decide."""
    return render_spending(spending_id, current_actor(), {})


def render_spending(spending_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed; raises NotFound."""
    with transaction() as session:
        row = funds.view_spending(session, spending_id, actor=actor)
        return render_template(
            "funds/spending.html",
            row=row,
            one=row.spending,
            wishes=funds.wish_names(session, actor=actor) if row.spending.counted else {},
            is_mine=actor.user_id is not None and actor.user_id == row.spending.asked_by,
            errors=errors,
            typed=request.form,
            now=clock.now(session),
            **words(),
        )


@blueprint.post("/<int(max=9223372036854775807):spending_id>/approve")
@allow(Right.FUNDS_APPROVE)
@retrying
def approve(spending_id: int) -> Response:
    """Approve what another asked for; it is booked at once."""
    return decided(spending_id, approve_asked)


@blueprint.post("/<int(max=9223372036854775807):spending_id>/refuse")
@allow(Right.FUNDS_APPROVE)
@retrying
def refuse(spending_id: int) -> Response:
    """Refuse it, with a reason."""
    reason = request.form.get("reason", "")
    return decided(spending_id, lambda *about, **who: funds.refuse_spending(*about, reason=reason, **who))


@blueprint.post("/<int(max=9223372036854775807):spending_id>/withdraw")
@allow(Right.FUNDS_BOOK)
@retrying
def withdraw(spending_id: int) -> Response:
    """Take back what one asked for oneself."""
    return decided(spending_id, funds.withdraw_spending)


def decided(spending_id: int, work: Callable[..., Spending]) -> Response:
    """Do something about it and show it."""
    return change(
        lambda session, actor, now: work(session, spending_id, actor=actor, now=now),
        partial(render_spending, spending_id),
        url_for("pages_spendings.show", spending_id=spending_id),
    )
