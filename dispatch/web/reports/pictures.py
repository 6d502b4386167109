"""Pictures of reports, each with its table: as SVG in the page, and to take away as SVG, PNG or XLSX."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import groupby

from flask import Response, make_response, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import NotFound
from dispatch.gateways import limits
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.reports.figures import LABELS, Figure, Value, figures_of, shown
from dispatch.services import reports
from dispatch.services.reports import FileFormat, Grouping, Heat, Report, ReportQuery, Step
from dispatch.transaction import transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.reports import charts
from dispatch.web.reports.door import blueprint, read_query, say
from dispatch.web.reports.drawing import Drawing, png_of, svg_of

MOST_BARS = 20
THREE_RATES = (Figure.RESPONSE, Figure.SOLVED, Figure.SATISFIED, Figure.COMPOSITE)
PNG = "png"
SVG = "svg"
MEDIA_TYPES = {SVG: "image/svg+xml; charset=utf-8", PNG: "image/png"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: its name in addresses, its title, its table, and how it is drawn."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | int | Decimal]]
    draw: Callable[[], Drawing]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see."""
        return not any(isinstance(cell, int | Decimal) and cell for row in self.rows for cell in row[1:])


@dataclass(frozen=True)
class Seen:
    """What the pictures of a report are made of; each part is read when a picture first asks for it."""

    session: Session
    query: ReportQuery
    actor: Actor

    @cached_property
    def report(self) -> Report:
        """The report."""
        return reports.report(self.session, self.query, actor=self.actor)

    @cached_property
    def steps(self) -> Sequence[Step]:
        """Its trend."""
        return reports.trend(self.session, self.query, actor=self.actor)

    @cached_property
    def heat(self) -> Heat:
        """Its heat grids."""
        return reports.heat(self.session, self.query, actor=self.actor)


def day_words(first: date, last: date) -> str:
    """A step of time in few characters: 11-23, or 11-23–11-29."""
    return f"{first:%m-%d}" if first == last else f"{first:%m-%d}–{last:%m-%d}"


def step_word(first: date, last: date) -> str:
    """A step on an axis: its first day, or its month."""
    is_month = first.day == 1 and (last - first).days >= 27  # noqa: PLR2004 - the shortest month
    return f"{first:%Y-%m}" if is_month else f"{first:%m-%d}"


def cell(value: Value, figure: Figure) -> Decimal | str:
    """A figure in a table of a picture."""
    number = shown(figure, value)
    return gettext("无数据") if number is None else number


def trend_of(seen: Seen) -> Picture:
    """Orders placed and closed over time."""
    rows = [(day_words(one.first, one.last), one.counts.placed, one.counts.closed) for one in seen.steps]
    words = [step_word(one.first, one.last) for one in seen.steps]
    names = (gettext("受理"), gettext("办结"))
    title = gettext("受理与办结走势")

    def draw() -> Drawing:
        return charts.bars_and_line(title, words, [row[1] for row in rows], [row[2] for row in rows], names)

    return Picture("trend", title, (gettext("日期"), *names), rows, draw)


def rates_of(seen: Seen) -> Picture:
    """The three rates and the composite score over time."""
    words = [step_word(one.first, one.last) for one in seen.steps]
    title = gettext("三率与综合走势")
    values = [figures_of(one.counts, seen.report.weights) for one in seen.steps]
    rows = [
        (day_words(one.first, one.last), *(cell(found[figure], figure) for figure in THREE_RATES))
        for one, found in zip(seen.steps, values, strict=True)
    ]
    names = [say(LABELS[figure]) for figure in THREE_RATES]

    def draw() -> Drawing:
        series = [
            (name, [shown(figure, found[figure]) for found in values])
            for name, figure in zip(names, THREE_RATES, strict=True)
        ]
        return charts.lines(title, words, series)

    return Picture("rates", title, (gettext("日期"), *(f"{name} %" for name in names)), rows, draw)


def groups_of(seen: Seen) -> Picture:
    """Orders placed by team, area, kind or firm, with 按时办结率."""
    title = gettext("按%(what)s的受理量", what=group_word(seen.report.query.by))
    figure = Figure.ANSWERED_IN_TIME
    rows = [
        (
            row.name or say(reports.nameless(seen.report.query.by)),
            row.counts.placed,
            cell(seen.report.figures(row)[figure], figure),
        )
        for row in seen.report.rows
    ]

    def draw() -> Drawing:
        word = say(LABELS[figure])
        bars = [(name, count, f"{word} {rate}" + ("" if isinstance(rate, str) else "%")) for name, count, rate in rows]
        return charts.group_bars(title, bars[:MOST_BARS])

    columns = (group_word(seen.report.query.by), gettext("受理"), f"{say(LABELS[figure])} %")
    return Picture("groups", title, columns, rows, draw)


def days_of(seen: Seen) -> Picture:
    """Orders placed by area and day (week, month)."""
    title = gettext("片区与日期热力图")
    rows = [(area.name, *area.steps) for area in seen.heat.areas]
    columns = [step_word(first, last) for first, last in seen.heat.steps]

    def draw() -> Drawing:
        return charts.grid(title, columns, [(area.name, area.steps) for area in seen.heat.areas])

    return Picture("days", title, (gettext("片区"), *columns), rows, draw)


def hours_of(seen: Seen) -> Picture:
    """Orders placed by area and hour of the day."""
    title = gettext("片区与时段热力图")
    rows = [(area.name, *area.hours) for area in seen.heat.areas]
    columns = [f"{hour}" for hour in range(24)]

    def draw() -> Drawing:
        return charts.grid(title, columns, [(area.name, area.hours) for area in seen.heat.areas])

    return Picture("hours", title, (gettext("片区"), *columns), rows, draw)


def buildings_of(seen: Seen) -> Picture:
    """Orders placed by building, in blocks of their areas."""
    title = gettext("楼幢热力图")
    names = {area.id: area.name for area in seen.heat.areas}
    blocks = [
        (names.get(area, ""), list(block)) for area, block in groupby(seen.heat.buildings, key=lambda one: one.area_id)
    ]
    rows = [(one.address, area, one.placed) for area, block in blocks for one in block]

    def draw() -> Drawing:
        return charts.tiles(
            title,
            [
                (area, [(gettext("%(number)s幢", number=one.number), one.placed) for one in block])
                for area, block in blocks
            ],
        )

    return Picture("buildings", title, (gettext("楼幢"), gettext("片区"), gettext("受理")), rows, draw)


def group_word(by: Grouping) -> str:
    """By whom a report has its rows, in a word."""
    words = {
        Grouping.TEAM: gettext("团队"),
        Grouping.AREA: gettext("片区"),
        Grouping.KIND: gettext("类别"),
        Grouping.FIRM: gettext("服务商"),
    }
    return words[by]


PICTURES: Mapping[str, Callable[[Seen], Picture]] = {
    "trend": trend_of,
    "rates": rates_of,
    "groups": groups_of,
    "days": days_of,
    "hours": hours_of,
    "buildings": buildings_of,
}


def the_picture() -> Callable[[Seen], Picture]:
    """The picture that the address names; raises NotFound."""
    found = PICTURES.get(request.args.get("picture", ""))
    if found is None:
        raise NotFound
    return found


@blueprint.get("/reports/picture")
@allow(Right.REPORTS_READ)
def picture() -> Response:
    """A picture of a report as SVG or PNG."""
    draw, form, actor = the_picture(), request.args.get("format", SVG), current_actor()
    if form not in MEDIA_TYPES:
        raise NotFound
    with transaction() as session:
        found = draw(Seen(session, read_query(session, actor), actor))
    drawing = found.draw()
    response = make_response(svg_of(drawing).encode() if form == SVG else png_of(drawing))
    response.mimetype = MEDIA_TYPES[form].partition(";")[0]
    return response


@blueprint.get("/reports/picture/file")
@allow(Right.REPORTS_READ, limit=limits.EXPORT)
def picture_table() -> Response:
    """The table of a picture as XLSX."""
    draw, actor = the_picture(), current_actor()
    with transaction() as session:
        query = read_query(session, actor)
        found = draw(Seen(session, query, actor))
        data = reports.export_table(
            session,
            query,
            FileFormat.XLSX,
            title=found.title,
            columns=found.columns,
            rows=found.rows,
            say=say,
            actor=actor,
            now=clock.now(session),
        )
    return download(data, f"{found.name}-{query.begin}-{query.end}", FileFormat.XLSX)


def download(data: bytes, name: str, form: FileFormat) -> Response:
    """A file to be saved."""
    response = make_response(data)
    response.headers["Content-Type"] = form.media_type
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response
