"""报表: the figures of some days beside the period before, their rows, their pictures; and each figure's orders."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from flask import Response, make_response, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.catalogue import Performer, Team
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.reports.figures import LABELS, LESS_IS_BETTER, NO_RATES, TEN_THOUSAND, Figure, Value, rounded, shown
from dispatch.rules.reports.reasons import PARTS, REASONS
from dispatch.services import reports
from dispatch.services.reports import AssignedBy, Grouping, Report, ReportQuery
from dispatch.transaction import transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.orders.listing import choices
from dispatch.web.pages import told
from dispatch.web.reports.definitions import definition_words
from dispatch.web.reports.door import address_of, blueprint, read_part, read_query, ready_days, say, the_figure
from dispatch.web.reports.pictures import PICTURES, Seen, group_word

PAGE_LENGTH = 50
IN_ROWS = (
    Figure.COMPOSITE,
    Figure.RESPONSE,
    Figure.SOLVED,
    Figure.SATISFIED,
    Figure.CLOSED,
    Figure.CLOSED_IN_TIME,
    Figure.ANSWERED_IN_TIME,
    Figure.ARRIVED_IN_TIME,
    Figure.FIRST_ACCEPTED,
    Figure.RETURNED,
    Figure.REOPENED,
)
"""The figures of each row of the page; a file has all."""


@dataclass(frozen=True, slots=True)
class FigureLine:
    """A figure as the page shows it: its words, its number, what stands behind it, and how it has moved."""

    figure: Figure
    word: str
    meaning: str
    number: str
    behind: str
    before: str
    change: str
    tone: str


def number_words(figure: Figure, number: Decimal | None) -> str:
    """A figure as people read it: 93.72%, 1.40, or 无数据."""
    if number is None:
        return gettext("无数据")
    return f"{number}" if figure in NO_RATES else f"{number}%"


def lines_of(found: Report) -> list[FigureLine]:
    """Every figure of a report, beside the period before."""
    now, before = found.figures(), found.figures_before()
    return [line_of(figure, now[figure], before.get(figure)) for figure in Figure]


def line_of(figure: Figure, value: Value, before: Value | None) -> FigureLine:
    """One figure."""
    number = shown(figure, value)
    earlier = None if before is None else shown(figure, before)
    change, tone = change_of(figure, number, earlier)
    unit = TEN_THOUSAND if figure is Figure.PER_TEN_THOUSAND else 1
    behind = "" if figure is Figure.FAIRNESS else f"{plain(value.numerator / unit)} / {plain(value.denominator)}"
    word = say(LABELS[figure])
    earlier_words = number_words(figure, earlier)
    return FigureLine(
        figure, word, definition_words(figure), number_words(figure, number), behind, earlier_words, change, tone
    )


def plain(number: Fraction) -> str:
    """A count without needless places: 737, 6.80."""
    return str(number.numerator) if number.denominator == 1 else str(rounded(number))


def change_of(figure: Figure, number: Decimal | None, before: Decimal | None) -> tuple[str, str]:
    """How a figure has moved since the period before, in words, and whether that is good."""
    if number is None or before is None:
        return "", "quiet"
    moved = number - before
    if not moved:
        return gettext("持平"), "quiet"
    word = gettext("升 %(by)s", by=abs(moved)) if moved > 0 else gettext("降 %(by)s", by=abs(moved))
    is_good = (moved < 0) == (figure in LESS_IS_BETTER)
    return word, "done" if is_good else "late"


def row_cells(found: Report, row: reports.ReportRow | None = None) -> list[str]:
    """The figures of a row in words."""
    values = found.figures(row)
    return [number_words(figure, shown(figure, values[figure])) for figure in IN_ROWS]


def narrower(query: ReportQuery, row: reports.ReportRow) -> dict[str, str] | None:
    """The address of the report of one row alone; None for what has no id."""
    if row.id is None:
        return None
    name = {Grouping.TEAM: "team", Grouping.AREA: "area", Grouping.KIND: "service", Grouping.FIRM: "performer"}
    by = Grouping.KIND if query.by is not Grouping.KIND else Grouping.TEAM
    return address_of(query, **{name[query.by]: row.id, "by": by})


@blueprint.get("/reports")
@allow(Right.REPORTS_READ)
def report() -> Response:
    """The report of some days."""
    actor = current_actor()
    with transaction() as session:
        offered = offers(session, actor)
        try:
            query = read_query(session, actor)
            seen, chips = Seen(session, query, actor), chips_of(session, query)
            found, pictures = seen.report, [draw(seen) for draw in PICTURES.values()]
        except Invalid as error:
            page = render_template("reports/page.html", problem=told(error), field=error.field, found=None, **offered)
            return make_response(page, 422)
    page = render_template(
        "reports/page.html",
        problem=None,
        query=query,
        found=found,
        lines=lines_of(found),
        columns=[say(LABELS[figure]) for figure in IN_ROWS],
        rows=[(row, narrower(query, row), row_cells(found, row)) for row in found.rows],
        total=row_cells(found),
        pictures=pictures,
        here=address_of(query),
        chips=chips,
        group_word=group_word,
        nameless=say(reports.nameless(query.by)),
        **offered,
    )
    return make_response(page)


def chips_of(session: Session, query: ReportQuery) -> list[tuple[str, dict[str, str]]]:
    """The team and the firm that a report is narrowed to, each with the address of the report without it."""
    chips = []
    for name, table, identity in (("team", Team, query.team_id), ("performer", Performer, query.performer_id)):
        found = None if identity is None else session.get(table, identity)
        if identity is not None:
            chips.append((found.name if found else str(identity), address_of(query, **{name: None})))
    return chips


def offers(session: Session, actor: Actor) -> dict[str, object]:
    """What the filters offer."""
    return {
        "communities": reports.communities_of(session, actor),
        "today": clock.today(clock.now(session)),
        "ready": ready_days(clock.today(clock.now(session))),
        "groupings": [(str(one), group_word(one)) for one in Grouping],
        "assigning": [(str(AssignedBy.LEAD), gettext("按主办")), (str(AssignedBy.ACCOUNTABLE), gettext("按责任块队"))],
        **choices(session, actor),
    }


@blueprint.get("/reports/orders")
@allow(Right.REPORTS_READ)
def figure_orders() -> Response:
    """The orders behind a figure: counted, not counted, left out, each with its reason."""
    figure, actor, part = the_figure(), current_actor(), read_part()
    with transaction() as session:
        query = read_query(session, actor)
        page = reports.open_figure(
            session, query, figure, part=part, cursor=request.args.get("cursor"), limit=PAGE_LENGTH, actor=actor
        )
        value = reports.report(session, query, actor=actor).figures()[figure]
    return make_response(
        render_template(
            "reports/orders.html",
            line=line_of(figure, value, None),
            items=page.items,
            following=page.next,
            part=str(part) if part else "",
            parts=PARTS,
            reasons=REASONS,
            query=query,
            here=address_of(query),
        )
    )
