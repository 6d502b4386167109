"""Settling: what firms are owed for a month, asked to be paid; a firm's statement as a page and as a file."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from flask import Response, make_response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.funds.spoken import number_of
from dispatch.rules.funds.terms import Commodity
from dispatch.services.care import vouchers
from dispatch.services.care.vouchers import OwedRow, RedemptionRow, SettlementRow
from dispatch.services.reports.files import FileFormat, write
from dispatch.services.reports.files.table import Cell, Table
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import make
from dispatch.web.giving.door import chosen_community, communities_of
from dispatch.web.orders.form import number
from dispatch.web.vouchers.door import ID, ROWS, blueprint, words

SETTLEMENT = f"/settlements/{ID.format('settlement')}"


@blueprint.get("/settlements")
@allow(Right.VOUCHERS_READ)
def settlements() -> str:
    """What is owed for last month (or another), and the settlements."""
    return render_settlements(current_actor(), {})


def render_settlements(actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed; where nothing is left of last month it shows what this month has come to."""
    before, asked = number(request.args, "before"), request.values.get("month")
    with transaction() as session:
        now = clock.now(session)
        month, this_month = asked or last_month(now), f"{clock.today(now):%Y-%m}"
        owed = [] if errors else owed_in(session, month, actor)
        if not (owed or errors or asked):
            month, owed = this_month, owed_in(session, this_month, actor)
        rows = vouchers.list_settlements(session, actor=actor, before=before, limit=ROWS + 1)
        return render_template(
            "vouchers/settlements.html",
            owed=owed,
            rows=rows[:ROWS],
            following=rows[ROWS - 1].settlement.id if len(rows) > ROWS else None,
            month=month,
            is_over=month < this_month,
            errors=errors,
            now=now,
            **words(),
        )


def owed_in(session: Session, month: str, actor: Actor) -> list[tuple[int, str, list[OwedRow]]]:
    """What firms are owed at the end of a month in each community that owes something; raises Invalid("month")."""
    found = [
        (community_id, name, vouchers.owed_of_month(session, community_id, month, actor=actor))
        for community_id, name in communities_of(session, actor)
    ]
    return [one for one in found if one[2]]


def last_month(now: datetime) -> str:
    """The month before this one, 2026-02."""
    return f"{clock.today(now).replace(day=1) - timedelta(days=1):%Y-%m}"


@blueprint.post("/settlements")
@allow(Right.FUNDS_BOOK)
@retrying
def settle() -> Response:
    """Ask that each firm is paid what it is owed at the end of a month."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        vouchers.settle_month(session, chosen_community(), request.form.get("month", ""), actor=actor, now=now)
        return url_for("pages_vouchers.settlements")

    return make(work, render_settlements)


def found(session: Session, settlement_id: int, actor: Actor) -> tuple[SettlementRow, list[RedemptionRow]]:
    """A settlement with what stands in it; raises NotFound."""
    row = vouchers.view_settlement(session, settlement_id, actor=actor)
    return row, vouchers.redemptions_of_settlement(session, settlement_id, actor=actor)


@blueprint.get(SETTLEMENT)
@allow(Right.VOUCHERS_READ)
def show_settlement(settlement_id: int) -> str:
    """A firm's statement of a month."""
    with transaction() as session:
        row, items = found(session, settlement_id, current_actor())
        return render_template("vouchers/settlement.html", row=row, items=items, now=clock.now(session), **words())


@blueprint.get(f"{SETTLEMENT}/statement.csv")
@allow(Right.VOUCHERS_READ)
def sheet(settlement_id: int) -> Response:
    """The same as a file; no name of a person."""
    with transaction() as session:
        row, items = found(session, settlement_id, current_actor())
    return csv_of(row.firm, f"{row.settlement.month:%Y-%m}", items)


def csv_of(firm: str, month: str, items: list[RedemptionRow]) -> Response:
    """What a firm took, as a file for a spreadsheet."""
    rows: list[list[Cell]] = [
        [
            one.redemption.redeemed_on.isoformat(),
            f"{one.voucher_number:06d}",
            one.redemption.what,
            one.order_number or "",
            plain(one.redemption.fen),
        ]
        for one in items
    ]
    title = gettext("%(firm)s %(month)s 服务券结算单", firm=firm, month=month)
    columns = (gettext("日期"), gettext("券号"), gettext("项目"), gettext("单号"), gettext("金额（元）"))
    total = sum(one.redemption.fen for one in items)
    foot = gettext("共 %(count)s 笔，%(sum)s 元", count=len(items), sum=plain(total))
    response = make_response(write(Table(title, columns, rows, foot), FileFormat.CSV))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="vouchers-{month}.csv"'
    return response


def plain(fen: int) -> str:
    """Yuan without separators, as a spreadsheet reads it."""
    return number_of(fen, Commodity.FEN).replace(",", "")
