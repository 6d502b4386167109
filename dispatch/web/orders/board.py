"""班长台: what waits for a human and why, what lapses next, what is late, callbacks, counts; live."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import render_template
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.grid import Area
from dispatch.models.orders import Offer
from dispatch.rules.access.roles import Actor, Right
from dispatch.services import orders
from dispatch.transaction import transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.orders.door import blueprint
from dispatch.web.orders.views import OrderRow, opened_row, performers_by_hand, rows, waits_words

MOST_KINDS = 8


@dataclass(frozen=True, slots=True)
class Counted:
    """A figure of the board with what it counts and the link to the list of it."""

    name: str
    figure: int
    filters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BoardView:
    """The board as it is shown."""

    now: datetime
    waiting: list[tuple[OrderRow, str]]
    lapsing: list[tuple[OrderRow, Offer]]
    late: list[OrderRow]
    callbacks: list[OrderRow]
    states: Mapping[str, int]
    areas: list[Counted]
    services: list[Counted]

    @property
    def open_orders(self) -> int:
        """How many orders are open."""
        return sum(self.states.values())


@blueprint.get("/board")
@allow(Right.BOARD_READ)
def board() -> str:
    """The whole page."""
    return render_template("orders/board.html", board=read_board(current_actor()))


@blueprint.get("/board/now")
@allow(Right.BOARD_READ)
def board_now() -> str:
    """The live part alone."""
    return render_template("orders/board_now.html", board=read_board(current_actor()))


@blueprint.get("/board/dispatch/<number>")
@allow(Right.ORDERS_DISPATCH)
def board_dispatch(number: str) -> str:
    """The form beside the board that gives one order to somebody by hand."""
    actor = current_actor()
    with transaction() as session:
        now = clock.now(session)
        order = orders.find(session, number, actor=actor)
        row = opened_row(session, order, actor, purpose="dispatch")
        performers = performers_by_hand(session, order)
    return render_template("orders/board_dispatch.html", row=row, performers=performers, now=now, errors={}, typed={})


def read_board(actor: Actor) -> BoardView:
    """The board of what the actor may see."""
    with transaction() as session:
        now = clock.now(session)
        found = orders.board(session, actor=actor, now=now)
        lists = (found.waiting, [order for order, _ in found.lapsing], found.late, found.callbacks)
        unique = {order.id: order for part in lists for order in part}
        row_of = {row.order.id: row for row in rows(session, list(unique.values()), actor)}
        return BoardView(
            now=now,
            waiting=[(row_of[order.id], waits_words(order)) for order in found.waiting],
            lapsing=[(row_of[order.id], offer) for order, offer in found.lapsing],
            late=[row_of[order.id] for order in found.late],
            callbacks=[row_of[order.id] for order in found.callbacks],
            states=found.counts_by_state,
            areas=count_areas(session, found.counts_by_area),
            services=count_services(session, found.counts_by_service),
        )


def count_areas(session: Session, counts: Mapping[int, int]) -> list[Counted]:
    """Open orders by area, in the order of the areas; those without a place at the end."""
    known = session.execute(
        select(Area.id, Area.name).where(Area.id.in_([area for area in counts if area])).order_by(Area.number)
    )
    counted = [Counted(name, counts[area], {"area": str(area)}) for area, name in known]
    unplaced = counts.get(None, 0)  # type: ignore[call-overload]
    return [*counted, Counted("", unplaced, {"show": "waiting"})] if unplaced else counted


def count_services(session: Session, counts: Mapping[int, int]) -> list[Counted]:
    """Open orders by kind, the most first."""
    names = orders.service_names(session, set(counts))
    most = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:MOST_KINDS]
    return [Counted(names.get(service, ""), figure, {"service": str(service)}) for service, figure in most]
