"""What leaves of reports: texts stay texts, files can be read again, are bounded, marked and audited."""

import csv
import io
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.access import AuditEntry, User
from dispatch.rules.access.roles import Actor, Right, Role
from dispatch.rules.reports.figures import Figure
from dispatch.rules.reports.reasons import REASONS
from dispatch.services import reports
from dispatch.services.access import policies
from dispatch.services.reports import ExportTooLarge, FileFormat, Part, ReportQuery
from dispatch.services.reports.counting.definitions import DEFINITIONS
from dispatch.services.reports.files import MOST_PRINTED, MOST_ROWS, Table, write
from tests.factories.reported import MORNING, Lives
from tests.factories.world import set_policies, staff

NOVEMBER = ReportQuery(date(2026, 11, 1), date(2026, 11, 30))
FORMULAS = ('=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1")
MARK = "导出 甲 2026-11-25"


def table(*cells: object) -> Table:
    return Table("标题[1]", ["列"], [[cell] for cell in cells], MARK)  # type: ignore[list-item]


def read_csv(data: bytes) -> list[list[str]]:
    text = data.decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_is_a_formula(formula: str) -> None:
    rows = read_csv(write(table(formula), FileFormat.CSV))
    assert rows[1][0].startswith("'")
    sheet = load_workbook(io.BytesIO(write(table(formula), FileFormat.XLSX))).active
    assert sheet is not None
    cell = sheet["A3"]
    assert cell.data_type in {"s", "inlineStr"}
    assert cell.quotePrefix


@given(st.text(max_size=30))
def test_any_text_can_be_written_and_is_no_formula(text: str) -> None:
    safe = text.encode("utf-8", "replace").decode()
    rows = read_csv(write(table(safe), FileFormat.CSV))
    assert not rows[1] or not rows[1][0].startswith(("=", "+", "-", "@"))
    sheet = load_workbook(io.BytesIO(write(table(safe), FileFormat.XLSX))).active
    assert sheet is not None
    assert sheet["A3"].data_type in {"s", "n", "inlineStr"}
    assert sheet["A3"].value is None or isinstance(sheet["A3"].value, str)


def test_numbers_and_days_stay_what_they_are() -> None:
    data = write(table(-3, Decimal("93.72"), date(2026, 11, 2), None), FileFormat.XLSX)
    sheet = load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    assert [sheet[f"A{row}"].value for row in (3, 4)] == [-3, 93.72]
    assert str(sheet["A5"].value).startswith("2026-11-02")
    assert [row[:1] for row in read_csv(write(table(-3, Decimal("93.72")), FileFormat.CSV))[1:3]] == [["-3"], ["93.72"]]


@pytest.mark.parametrize("form", list(FileFormat))
def test_more_rows_than_may_leave_are_refused(form: FileFormat) -> None:
    with pytest.raises(Invalid):
        write(table(*range(MOST_ROWS + 1)), form)


def test_too_many_rows_for_paper_are_refused() -> None:
    with pytest.raises(Invalid) as refused:
        write(table(*range(MOST_PRINTED + 1)), FileFormat.PDF)
    assert refused.value.field == "format"


def test_every_reason_has_its_words() -> None:
    used = {reason for one in DEFINITIONS.values() for reason, _ in (*one.left_out, *one.not_counted)}
    assert used == set(REASONS)


@pytest.fixture
def session(lives: Lives) -> Session:
    """The session in which the week is read and changed."""
    return lives.session


@pytest.fixture
def centre(session: Session, lives: Lives) -> Actor:
    """Somebody of the centre."""
    return staff(session, lives.world, Role.CENTRE)


def test_a_report_leaves_with_who_and_when_and_is_audited(session: Session, lives: Lives, centre: Actor) -> None:
    session.get_one(User, centre.user_id).name = "=甲"
    session.flush()
    data = reports.export_report(session, NOVEMBER, FileFormat.XLSX, say=str, actor=centre, now=MORNING)
    sheet = load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[1][:4] == ["团队", "受理", "直接答复", "派单"]
    assert [row[:2] for row in rows[2:5]] == [[lives.world.line.name, 7], [lives.world.block.name, 3], ["合计", 10]]
    assert "无数据" in rows[4]
    assert rows[4][rows[1].index("首派接单率 %")] == 85.71
    assert rows[6][0] == "后庆派单 · 内部资料 · 导出 =甲 2026-11-02 09:00"
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "reports.export")).one()
    assert entry.user_id == centre.user_id
    assert entry.fields == {
        "what": "report",
        "format": "xlsx",
        "rows": "3",
        "from": "2026-11-01",
        "until": "2026-11-30",
    }


def test_orders_leave_with_their_reasons_and_without_a_person(session: Session, lives: Lives, centre: Actor) -> None:
    lives.placed(
        MORNING,
        confidential=True,
        caller_name="王秀英",
        caller_phone="13905781234",
        description="家暴",
        stairwell_id=lives.world.stairwells[5].id,
    )
    lives.counted()
    data = reports.export_orders(
        session, NOVEMBER, Figure.CLOSED_IN_TIME, FileFormat.CSV, say=str, actor=centre, now=MORNING
    )
    text = data.decode()
    rows = read_csv(data)
    assert rows[0] == ["单号", "日期", "是否计入", "原因", "类别", "片区", "团队", "服务商"]
    assert len([row for row in rows[1:] if row and row[0].startswith("HQ")]) == 11
    assert any(row[3:5] == ["还没有办结", "保密"] for row in rows if len(row) > 4)
    assert not any(word in text for word in ("王秀英", "13905781234", "家暴", "下水道堵了"))
    left_out = reports.export_orders(
        session,
        NOVEMBER,
        Figure.CLOSED_IN_TIME,
        FileFormat.CSV,
        part=Part.LEFT_OUT,
        say=str,
        actor=centre,
        now=MORNING,
    )
    assert [row[3] for row in read_csv(left_out) if len(row) > 3][1:] == ["已作废"]


def test_paper_is_a_pdf(session: Session, centre: Actor) -> None:
    data = reports.export_report(session, NOVEMBER, FileFormat.PDF, say=str, actor=centre, now=MORNING)
    assert data.startswith(b"%PDF-")
    assert len(data) > 5_000


def test_many_rows_leave_for_nobody_without_approval(session: Session, lives: Lives, centre: Actor) -> None:
    set_policies(session, lives.world.district, access__export_approval_rows=5)
    policies.remembered.forget(session)
    dispatcher = replace(centre, rights=frozenset({Right.REPORTS_READ}))
    figure = Figure.PER_TEN_THOUSAND
    for actor in (dispatcher, centre):
        with pytest.raises(ExportTooLarge):
            reports.export_orders(session, NOVEMBER, figure, FileFormat.CSV, say=str, actor=actor, now=MORNING)
    assert session.scalars(select(AuditEntry).where(AuditEntry.action == "reports.export")).all() == []
    assert reports.export_report(session, NOVEMBER, FileFormat.CSV, say=str, actor=dispatcher, now=MORNING)
