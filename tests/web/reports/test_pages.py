"""The pages of reports: figures with their orders, pictures with their tables, files, limits, nobody's data."""

import csv
import io

import pytest
from openpyxl import load_workbook
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse

from dispatch import clock
from dispatch.models.access import AuditEntry
from dispatch.rules.access.roles import Role
from dispatch.rules.reports.figures import Figure
from dispatch.services import reports
from dispatch.web.reports.pictures import PICTURES
from tests.web.reports.conftest import NOVEMBER, Reported

ADDRESS = f"/reports?{NOVEMBER}"


def text_of(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def test_a_report_shows_every_figure_with_what_stands_behind_it(reported: Reported) -> None:
    page = text_of(reported.desk.client(Role.CENTRE).get(ADDRESS))
    for words in ("综合", "74.00%", "72.50%", "85.71%", "6 / 7", "2.90 / 4", "派单不均", "无数据"):
        assert words in page
    assert reported.desk.world.line.name in page
    assert reported.desk.world.block.name in page


def test_the_rows_follow_the_grouping_and_the_team_that_counts(reported: Reported) -> None:
    client = reported.desk.client(Role.CENTRE)
    by_kind = text_of(client.get(f"{ADDRESS}&by=kind"))
    assert "管道疏通" in by_kind
    accountable = text_of(client.get(f"{ADDRESS}&assigned=accountable"))
    assert f">{reported.desk.world.line.name}</a>" not in accountable
    narrowed = text_of(client.get(f"{ADDRESS}&by=kind&team={reported.desk.world.block.id}"))
    assert "只看" in narrowed
    assert '<td class="amount">3</td>' in narrowed


def test_days_without_orders_say_no_data(reported: Reported) -> None:
    page = text_of(reported.desk.client(Role.CENTRE).get("/reports?from=2025-01-01&until=2025-01-31"))
    assert "无数据" in page
    assert "0.00%" not in page
    assert "今天还没有过完" not in page
    assert "今天还没有过完" in text_of(reported.desk.client(Role.CENTRE).get("/reports"))
    assert "<img src" not in page.partition("<main")[2]


@pytest.mark.parametrize(
    "asked", ["from=2026-11-30&until=2026-11-01", "from=yesterday", "from=2020-01-01&until=2026-11-30", "area=x"]
)
def test_what_cannot_be_counted_is_said_beside_the_field(reported: Reported, asked: str) -> None:
    answer = reported.desk.client(Role.CENTRE).get(f"/reports?{asked}")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.get_data(as_text=True)


def test_every_figure_opens_to_its_orders(reported: Reported) -> None:
    client = reported.desk.client(Role.CENTRE)
    for figure in Figure:
        page = text_of(client.get(f"/reports/orders?figure={figure}&{NOVEMBER}"))
        assert any(number in page for number in reported.numbers.values()), figure


def test_the_orders_of_a_figure_are_told_with_the_reason(reported: Reported) -> None:
    client = reported.desk.client(Role.CENTRE)
    page = text_of(client.get(f"/reports/orders?figure=solved&{NOVEMBER}"))
    for name, words in (("gossip", "没有解决"), ("unreached", "三次没有联系上"), ("satisfied", "计入")):
        assert words in page.partition(reported.numbers[name])[2]
    left_out = text_of(client.get(f"/reports/orders?figure=solved&{NOVEMBER}&part=left_out"))
    assert reported.numbers["unreached"] in left_out
    assert reported.numbers["satisfied"] not in left_out
    assert client.get(f"/reports/orders?figure=nothing&{NOVEMBER}").status_code == 404


def test_pictures_can_be_seen_and_taken_away(reported: Reported) -> None:
    client = reported.desk.client(Role.CENTRE)
    for name in PICTURES:
        svg = client.get(f"/reports/picture?picture={name}&{NOVEMBER}")
        drawn = svg.get_data(as_text=True)
        assert (svg.mimetype, drawn[:4]) == ("image/svg+xml", "<svg")
        assert not any(word in drawn for word in ("style", "<script", "href"))
        png = Image.open(io.BytesIO(client.get(f"/reports/picture?picture={name}&format=png&{NOVEMBER}").data))
        assert png.size[0] == 1920
        assert len(png.getcolors(1 << 20) or []) > 2
        table = client.get(f"/reports/picture/file?picture={name}&{NOVEMBER}")
        assert table.status_code == 200, (name, table.status_code, table.get_data(as_text=True)[-2000:])
        book = load_workbook(io.BytesIO(table.data))
        assert book.active is not None
        assert book.active.max_row > 2
    for address in ("?picture=trend&format=gif", "?picture=x", "", "/file?picture=x"):
        assert client.get(f"/reports/picture{address}").status_code == 404


def test_files_leave_with_their_watermark_and_an_audit_entry(reported: Reported) -> None:
    client = reported.desk.client(Role.CENTRE)
    answer = client.get(f"/reports/file?format=csv&{NOVEMBER}")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="report-2026-11-01-2026-11-30.csv"'
    assert answer.headers["Cache-Control"] == "no-store"
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True)[1:])))
    assert any("后庆派单 · 内部资料 · 导出 甲" in row[0] for row in rows if row)
    assert client.get(f"/reports/file?format=pdf&{NOVEMBER}").data.startswith(b"%PDF")
    assert client.get(f"/reports/file?format=exe&{NOVEMBER}").status_code == 404
    orders = client.get(f"/reports/orders/file?figure=closed&format=csv&{NOVEMBER}&part=left_out")
    assert reported.numbers["voided"] in orders.get_data(as_text=True)
    with reported.desk.site.database.session() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "reports.export")).all()
    assert [(entry.fields["what"], entry.fields["format"]) for entry in entries] == [
        ("report", "csv"),
        ("report", "pdf"),
        ("closed", "csv"),
    ]


def test_nothing_of_a_person_or_of_what_was_said_is_in_a_report(reported: Reported) -> None:
    desk = reported.desk
    number = desk.place(description="家里有人打人", confidential=True)
    desk.route(number)
    with desk.site.database.session() as session:
        while reports.count_changes(session, now=clock.now(session)):
            pass
        session.commit()
    client = desk.client(Role.CENTRE)
    everything = [
        client.get(path).get_data(as_text=True)
        for path in (
            "/reports",
            "/reports/orders?figure=per_ten_thousand",
            "/reports/orders/file?figure=per_ten_thousand&format=csv",
            "/reports/picture?picture=buildings",
        )
    ]
    assert number in everything[1]
    assert number in everything[2]
    for page in everything:
        assert not any(word in page for word in ("家里有人打人", "王秀英", "13905781234", "单元501"))


def test_a_page_of_reports_in_english(reported: Reported) -> None:
    page = text_of(reported.desk.client(Role.CENTRE).get(f"{ADDRESS}&lang=en"))
    assert "First offer accepted" in page
    assert "No data" in page
