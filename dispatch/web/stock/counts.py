"""A count: blind for the two who count, with its differences for the third who decides."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from flask import Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.market.keeping import Place
from dispatch.services import market
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, Work, change
from dispatch.web.stock.door import ID, amount_words, blueprint, read_amount, spot_words

COUNT = f"/counts/{ID.format('count_id')}"


@blueprint.post(f"/{ID.format('facility_id')}/counts")
@allow(Right.MARKET_APPROVE)
@retrying
def open_count(facility_id: int) -> Response:
    """Begin a count; the facility stands still."""
    with transaction() as session:
        count = market.open_count(session, facility_id, actor=current_actor(), now=clock.now(session))
        count_id = count.id
    return redirect(url_for("pages_stock.count", count_id=count_id), 303)  # type: ignore[return-value]


@blueprint.get(COUNT)
@allow(Right.MARKET_COUNT)
def count(count_id: int) -> str:
    """One count."""
    return render_count(count_id, current_actor(), NOTHING_WRONG)


def render_count(count_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The lines to count without any figure; whoever decides sees the differences once both have counted."""
    with transaction() as session:
        now = clock.now(session)
        found = market.find_count(session, count_id, actor=actor)
        lines = market.lines_of(session, count_id)
        keeper = market.keeper_of(session, found.facility_id, now=now)
        people = {found.first_by, found.second_by}
        is_keeper = keeper is not None and keeper.user_id == actor.user_id
        both = found.first_at is not None and found.second_at is not None
        result = market.result_of(session, found) if both else None
        return render_template(
            "stock/count.html",
            count=found,
            facility=market.find_facility(session, found.facility_id, actor=actor),
            lines=lines,
            names=market.names_of_lots(session, [line.lot_id for line in lines]),
            result=result,
            again=result.disputed if result is not None and actor.user_id in people else frozenset(),
            may_count=not is_keeper and (actor.user_id in people or None in people),
            has_counted=actor.user_id in people,
            may_decide=actor.may(Right.MARKET_APPROVE) and not is_keeper and actor.user_id not in people,
            spots=spot_words(),
            say=amount_words,
            typed=request.form,
            errors=errors,
        )


def changed(count_id: int, work: Work) -> Response:
    """Do one thing with a count and show it."""
    return change(
        work,
        partial(render_count, count_id),
        url_for("pages_stock.count", count_id=count_id),
    )


@blueprint.post(f"{COUNT}/lines")
@allow(Right.MARKET_COUNT)
@retrying
def submit(count_id: int) -> Response:
    """One of the two has counted."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        market.find_count(session, count_id, actor=actor)
        market.submit_count(session, count_id, read_lines(session, count_id), actor=actor, now=now)

    return changed(count_id, work)


def read_lines(session: Session, count_id: int) -> dict[Place, int]:
    """What the form says of each line that it names; raises Invalid("lines")."""
    lines = market.lines_of(session, count_id)
    names = market.names_of_lots(session, [line.lot_id for line in lines])
    found: dict[Place, int] = {}
    for line in lines:
        said = request.form.get(f"{line.lot_id}-{line.spot}")
        if said is None:
            continue
        if said.strip() == "0":
            found[line.lot_id, line.spot] = 0
            continue
        if not said.strip():
            raise Invalid("lines", "请把每一处都数过填好")
        found[line.lot_id, line.spot] = read_amount(said, names[line.lot_id][0].commodity, "lines")
    return found


@blueprint.post(f"{COUNT}/closing")
@allow(Right.MARKET_APPROVE)
@retrying
def close(count_id: int) -> Response:
    """A third person takes the result over."""
    reason = request.form.get("reason", "")
    return changed(
        count_id,
        lambda session, actor, now: market.close_count(session, count_id, reason=reason, actor=actor, now=now),
    )


@blueprint.post(f"{COUNT}/cancelling")
@allow(Right.MARKET_APPROVE)
@retrying
def cancel(count_id: int) -> Response:
    """Give the count up."""
    reason = request.form.get("reason", "")
    return changed(
        count_id,
        lambda session, actor, now: market.cancel_count(session, count_id, reason=reason, actor=actor, now=now),
    )
