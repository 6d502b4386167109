"""Reports that leave the house: tables in words, bounded, approved above some rows, marked, in the audit trail."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotAllowed
from dispatch.models.access import ApiKey, User
from dispatch.rules.access.roles import Actor
from dispatch.rules.reports.counts import Counts
from dispatch.rules.reports.figures import LABELS, NO_RATES, Figure, Value, shown
from dispatch.rules.reports.reasons import PARTS, REASONS
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services.access import audit, policies
from dispatch.services.reports.asking import Grouping, ReportQuery, nameless
from dispatch.services.reports.figures import Report, report
from dispatch.services.reports.files import MOST_ROWS, Cell, FileFormat, Table, write
from dispatch.services.reports.opening import OpenedOrder, Part, open_figure

APPROVAL_POLICY: Final = "access.export_approval_rows"
NO_DATA: Final = "无数据"
CONFIDENTIAL: Final = "保密"
Say = Callable[[str], str]
"""Puts a text into the reader's language."""

GROUP_WORDS: Final[Mapping[Grouping, str]] = {
    Grouping.TEAM: "团队",
    Grouping.AREA: "片区",
    Grouping.KIND: "类别",
    Grouping.FIRM: "服务商",
}
COUNT_WORDS: Final[Mapping[str, str]] = {
    "placed": "受理",
    "answered": "直接答复",
    "dispatched": "派单",
    "due": "应结案",
    "closed": "办结",
    "valued": "回访有效（V）",
}
"""The counts that stand in a report beside its figures."""
WORDS: Final = (
    "报表",
    "合计",
    "未定",
    "导出",
    "后庆派单 · 内部资料",
    "单号",
    "日期",
    "是否计入",
    "原因",
    NO_DATA,
    CONFIDENTIAL,
    "比率为百分数，四舍五入到两位小数；没有可比的订单时为“无数据”",
)
"""Every other word of the files."""


class ExportTooLarge(NotAllowed):
    """超过%(most)s行的导出须另一人批准：请缩小日期范围，或者申请导出"""


def export_report(
    session: Session,
    query: ReportQuery,
    form: FileFormat,
    *,
    approved_as: int | None = None,
    say: Say,
    actor: Actor,
    now: datetime,
) -> bytes:
    """A report as a file: one row for each group and their sum. Raises Invalid, ExportTooLarge.

    `approved_as` is the request that a second person has granted; without it many rows do not leave.
    """
    table = report_table(report(session, query, actor=actor), say, mark_of(session, say, actor=actor, now=now))
    return leave(session, table, form, query, subject="report", approved_as=approved_as, actor=actor)


def export_orders(
    session: Session,
    query: ReportQuery,
    figure: Figure,
    form: FileFormat,
    *,
    part: Part | None = None,
    approved_as: int | None = None,
    say: Say,
    actor: Actor,
    now: datetime,
) -> bytes:
    """The orders behind a figure as a file, at most 50,000. Raises Invalid, ExportTooLarge."""
    page = open_figure(session, query, figure, part=part, limit=MOST_ROWS, most=MOST_ROWS, actor=actor)
    if page.next is not None:
        raise Invalid("until", "一次最多导出五万行，请缩短日期范围")
    table = orders_table(page.items, figure, query, say, mark_of(session, say, actor=actor, now=now))
    return leave(session, table, form, query, subject=str(figure), approved_as=approved_as, actor=actor)


def export_table(
    session: Session,
    query: ReportQuery,
    form: FileFormat,
    *,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    say: Say,
    actor: Actor,
    now: datetime,
) -> bytes:
    """The table of a picture of a report as a file."""
    days = f"{title} {query.begin.isoformat()} – {query.end.isoformat()}"
    table = Table(days, columns, rows, mark_of(session, say, actor=actor, now=now))
    return leave(session, table, form, query, subject="picture", actor=actor)


def leave(
    session: Session,
    table: Table,
    form: FileFormat,
    query: ReportQuery,
    *,
    subject: str,
    approved_as: int | None = None,
    actor: Actor,
) -> bytes:
    """Write the file and the audit entry; many rows leave only as a second person has approved (see approving)."""
    if actor.organisation_id is not None and approved_as is None:
        most = int(policies.policy(session, actor.organisation_id, APPROVAL_POLICY))
        if len(table.rows) > most:
            raise ExportTooLarge(most=most)
    data = write(table, form)
    fields = {
        "what": subject,
        "format": str(form),
        "rows": str(len(table.rows)),
        "from": query.begin.isoformat(),
        "until": query.end.isoformat(),
    }
    if approved_as is not None:
        fields["approved_as"] = str(approved_as)
    audit.record(session, "reports.export", "figure_totals", None, actor=actor, fields=fields)
    return data


def mark_of(session: Session, say: Say, *, actor: Actor, now: datetime) -> str:
    """The watermark: who took the file, and when."""
    who: str | None = None
    if actor.user_id is not None:
        who = session.scalars(select(User.name).where(User.id == actor.user_id)).one_or_none()
    elif actor.api_key_id is not None:
        who = session.scalars(select(ApiKey.name).where(ApiKey.id == actor.api_key_id)).one_or_none()
    when = now.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    return f"{say('后庆派单 · 内部资料')} · {say('导出')} {who or actor.principal} {when}"


def figure_cell(figure: Figure, value: Value | None, say: Say) -> Cell:
    """A figure in a table: its number, or “无数据”."""
    number = None if value is None else shown(figure, value)
    return say(NO_DATA) if number is None else number


def heading(figure: Figure, say: Say) -> str:
    """A figure's column: its word, with % where it is a rate."""
    word = say(LABELS[figure])
    return word if figure in NO_RATES else f"{word} %"


def report_table(found: Report, say: Say, mark: str) -> Table:
    """A report in words: counts, then every figure; the sum is the last row."""
    columns = [
        say(GROUP_WORDS[found.query.by]),
        *(say(word) for word in COUNT_WORDS.values()),
        *(heading(figure, say) for figure in Figure),
    ]
    rows = [
        [row.name or say(nameless(found.query.by)), *counts_cells(row.counts), *figure_cells(found.figures(row), say)]
        for row in found.rows
    ]
    rows.append([say("合计"), *counts_cells(found.total), *figure_cells(found.figures(), say)])
    title = f"{say('报表')} {found.query.begin.isoformat()} – {found.query.end.isoformat()}"
    note = say("比率为百分数，四舍五入到两位小数；没有可比的订单时为“无数据”")
    return Table(title, columns, rows, mark, (note,))


def counts_cells(counts: Counts) -> list[Cell]:
    """The counts of a row."""
    return [getattr(counts, name) for name in COUNT_WORDS]


def figure_cells(values: Mapping[Figure, Value], say: Say) -> list[Cell]:
    """The figures of a row."""
    return [figure_cell(figure, values.get(figure), say) for figure in Figure]


def orders_table(items: Sequence[OpenedOrder], figure: Figure, query: ReportQuery, say: Say, mark: str) -> Table:
    """The orders behind a figure in words."""
    words = ("单号", "日期", "是否计入", "原因", "类别", "片区", "团队", "服务商")
    rows = [[one.number, one.day, *reason_cells(one, say), *place_cells(one, say)] for one in items]
    title = f"{say(LABELS[figure])} {query.begin.isoformat()} – {query.end.isoformat()}"
    return Table(title, [say(word) for word in words], rows, mark)


def reason_cells(one: OpenedOrder, say: Say) -> list[Cell]:
    """Whether an order counts, and why not."""
    return [say(PARTS[one.part]), say(REASONS[one.reason]) if one.reason else None]


def place_cells(one: OpenedOrder, say: Say) -> list[Cell]:
    """Kind, area, team and firm; of a confidential order only that it is one."""
    if one.service is None:
        return [say(CONFIDENTIAL), None, None, None]
    return [one.service, one.area, one.team, one.performer]
