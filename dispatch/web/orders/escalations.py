"""提醒我的: what is escalated to me, the highest level first, with what to do about it; live."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext

from dispatch import clock
from dispatch.rules.access.roles import Right
from dispatch.rules.catalogue.levels import Audience
from dispatch.rules.orders.states import OrderState
from dispatch.services import orders
from dispatch.services.orders import EscalatedOrder
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.orders.door import blueprint
from dispatch.web.orders.views import OrderRow, rows, waits_words


@dataclass(frozen=True, slots=True)
class EscalatedRow:
    """A level as the page shows it: the order's row, whom it waits for, what to do."""

    escalated: EscalatedOrder
    row: OrderRow
    audience: str
    todo: str


@dataclass(frozen=True, slots=True)
class EscalationsView:
    """The page as it is shown."""

    now: datetime
    levels: Sequence[tuple[int, Sequence[EscalatedRow]]]
    count: int


@blueprint.get("/escalations")
@allow(Right.NOTICES_READ)
def escalations() -> str:
    """The whole page, or with `part=now` its live part alone."""
    template = "orders/escalations_now.html" if request.args.get("part") == "now" else "orders/escalations.html"
    return render_template(template, view=read_escalations())


@blueprint.post("/escalations/<int(max=9223372036854775807):escalated_id>/handled")
@allow(Right.NOTICES_READ)
@retrying
def handle_escalation(escalated_id: int) -> Response:
    """Say that a level is dealt with: it leaves the page, the order's history keeps it."""
    note = request.form.get("note", "")
    with transaction() as session:
        orders.handle_escalation(session, escalated_id, actor=current_actor(), now=clock.now(session), note=note)
    return redirect(url_for("pages_orders.escalations"), 303)  # type: ignore[return-value]


def read_escalations() -> EscalationsView:
    """What is escalated to whoever is logged in."""
    actor = current_actor()
    with transaction() as session:
        now = clock.now(session)
        found = orders.escalated_to(session, actor=actor)
        unique = {one.order.id: one.order for one in found}
        row_of = {row.order.id: row for row in rows(session, list(unique.values()), actor)}
        shown = [
            EscalatedRow(one, row_of[one.order.id], audience_word(one.audience), todo_words(row_of[one.order.id]))
            for one in found
        ]
    levels = dict.fromkeys(one.level for one in found)
    return EscalationsView(
        now=now,
        levels=[(level, [one for one in shown if one.escalated.level == level]) for level in levels],
        count=len(shown),
    )


def audience_word(audience: str) -> str:
    """In what role somebody is told."""
    words = {
        Audience.PERFORMER: gettext("服务商"),
        Audience.TEAM_HEAD: gettext("团队负责人"),
        Audience.AREA_CHIEF: gettext("片长"),
        Audience.CENTRE: gettext("中心"),
        Audience.SUPERVISION: gettext("督办"),
    }
    return words[Audience(audience)]


def todo_words(row: OrderRow) -> str:
    """What helps an order on that is late in its state."""
    state = OrderState(row.order.state)
    if state in {OrderState.RECEIVED, OrderState.AWAITING_HUMAN}:
        return waits_words(row.order)
    words = {
        OrderState.AWAITING_DISPATCH: gettext("还没有派出去，请看派单为什么没有结果"),
        OrderState.DISPATCHED: gettext("团队还没有签收，请催签收"),
        OrderState.SIGNED: gettext("团队已签收，还没有找到服务商"),
        OrderState.OFFERED: gettext("还没有服务商接单，请看要不要人工派"),
        OrderState.ACCEPTED: gettext("%(name)s 已接单还没有到场，请催到场", name=row.performer),
        OrderState.ARRIVED: gettext("%(name)s 已到场还没有完成，请问清要多久", name=row.performer),
    }
    return words.get(state, "")
