"""侨爱年度摘录: a year of what overseas Chinese gave and where it went, on a page and as a file; totals, no names."""

from collections.abc import Iterator
from decimal import Decimal

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext

from dispatch import clock
from dispatch.errors import NotFound
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.funds.labels import KIND_LABELS, PURPOSE_LABELS
from dispatch.rules.funds.spoken import number_of, spoken
from dispatch.rules.funds.terms import Commodity, EntryKind, Purpose
from dispatch.services.reports.abroad import Extract, extract_abroad
from dispatch.services.reports.files import FileFormat, write
from dispatch.services.reports.files.table import Cell, Table
from dispatch.transaction import transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.giving.door import communities_of
from dispatch.web.orders.form import number

UNITS = {Commodity.FEN: "元", Commodity.GRAM: "斤", Commodity.PIECE: "件"}

blueprint = Blueprint("pages_abroad", __name__, url_prefix="/overseas")


def asked(actor: Actor) -> tuple[Extract, list[tuple[int, str]], int]:
    """The extract that the address asks for: this year's of the first community unless it says more."""
    with transaction() as session:
        communities = communities_of(session, actor)
        if not communities:
            raise NotFound
        community_id = number(request.args, "community_id") or communities[0][0]
        year = number(request.args, "year") or clock.today(clock.now(session)).year
        return extract_abroad(session, community_id, year, actor=actor), communities, community_id


@blueprint.get("")
@allow(Right.FUNDS_READ)
def show() -> str:
    """One year."""
    found, communities, community_id = asked(current_actor())
    return render_template(
        "funds/abroad.html",
        found=found,
        lines=list(lines_of(found)),
        communities=communities,
        community_id=community_id,
        say=lambda amount, commodity: spoken(amount, Commodity(commodity)),
    )


def lines_of(found: Extract) -> Iterator[tuple[str, str, str, int]]:
    """The sheet line by line: fund, commodity, what it was, how much."""
    kinds, purposes = KIND_LABELS, PURPOSE_LABELS
    for row in found.rows:
        fund, unit = found.names[row["fund"]], row["commodity"]
        yield fund, unit, gettext("期初"), row["opening"]
        for kind, amount in row["received"].items():
            yield fund, unit, f"{gettext('收入')} · {gettext(kinds[EntryKind(kind)])}", amount
        for purpose, amount in row["used"].items():
            yield fund, unit, f"{gettext('用于')} · {gettext(purposes[Purpose(purpose)])}", -amount
        if row["disposed"]:
            yield fund, unit, gettext("销毁"), -row["disposed"]
        for kind, amount in row["other"].items():
            yield fund, unit, gettext(kinds[EntryKind(kind)]), amount
        yield fund, unit, gettext("期末"), row["closing"]


def cell_of(amount: int, commodity: Commodity) -> Decimal:
    """An amount as a number that a spreadsheet can add up, also one that went out."""
    return Decimal(number_of(amount, commodity).replace(",", ""))


@blueprint.get("/extract.csv")
@allow(Right.FUNDS_READ)
def sheet() -> Response:
    """The same as a file for the overseas Chinese federation."""
    actor = current_actor()
    found, communities, community_id = asked(actor)
    rows: list[list[Cell]] = [
        [fund, UNITS[Commodity(unit)], words, cell_of(amount, Commodity(unit))]
        for fund, unit, words, amount in lines_of(found)
    ]
    rows += [
        [
            gift.currency,
            gift.amount,
            f"{gettext('汇率')} {gift.rate} · {gift.rate_on}",
            cell_of(gift.fen, Commodity.FEN),
        ]
        for gift in found.foreign
    ]
    name = dict(communities)[community_id]
    title = gettext("%(community)s侨爱 %(year)s 年度摘录", community=name, year=found.year)
    columns = (gettext("基金或币种"), gettext("单位或金额"), gettext("项目"), gettext("数量或折合元"))
    table = Table(title, columns, rows, gettext("只有合计，没有姓名"))
    response = make_response(write(table, FileFormat.CSV))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="overseas-{found.year}.csv"'
    return response
