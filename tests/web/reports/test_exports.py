"""A large export by its pages: asked for with a reason, approved by another person, downloaded once."""

import re

import pytest
from werkzeug.test import TestResponse

from dispatch.rules.access.roles import Role
from dispatch.services.access import policies
from tests.factories.world import set_policies
from tests.web.reports.conftest import NOVEMBER, Reported

FILE = f"/reports/orders/file?figure=per_ten_thousand&format=csv&{NOVEMBER}"
ASK = re.compile(r'<form method="post" action="(/reports/exports\?[^"]+)"')
ONE = re.compile(r"/reports/exports/(\d+)/(decision|file)")


@pytest.fixture(autouse=True)
def five_rows(reported: Reported) -> None:
    """More than five rows need approval."""
    with reported.desk.site.database.session() as session:
        set_policies(session, reported.desk.world.district, access__export_approval_rows=5)
        session.commit()
        policies.remembered.forget(session)


def asked_at(page: TestResponse) -> str:
    """Where the form of a refused export posts to."""
    found = ASK.search(page.text)
    assert found is not None
    return found[1].replace("&amp;", "&")


def test_an_export_is_asked_for_approved_by_another_and_downloaded_once(reported: Reported) -> None:
    dispatcher, centre = (reported.desk.client(role) for role in (Role.DISPATCHER, Role.CENTRE))
    refused = dispatcher.get(FILE)
    assert refused.status_code == 403
    assert "超过5行的导出须另一人批准" in refused.text
    lacking = dispatcher.post(asked_at(refused), data={"reason": " "})
    assert lacking.status_code == 422
    assert "请写明导出作什么用" in lacking.text
    assert dispatcher.post(asked_at(lacking), data={"reason": "报区里"}).status_code == 303

    waiting = centre.get("/reports/exports").text
    assert "报区里" in waiting
    assert "10 行" in waiting
    assert ONE.findall(dispatcher.get("/reports/exports").text) == []
    ((number, deed),) = ONE.findall(waiting)
    assert deed == "decision"
    assert dispatcher.post(f"/reports/exports/{number}/decision", data={"granted": "yes"}).status_code == 403
    assert dispatcher.post(f"/reports/exports/{number}/file").status_code == 409
    assert centre.post(f"/reports/exports/{number}/decision", data={"granted": "yes"}).status_code == 303
    assert centre.post(f"/reports/exports/{number}/file").status_code == 404

    assert ONE.findall(dispatcher.get("/reports/exports").text) == [(number, "file")]
    file = dispatcher.post(f"/reports/exports/{number}/file")
    assert (file.status_code, file.mimetype) == (200, "text/csv")
    assert all(one in file.text for one in reported.numbers.values())
    again = dispatcher.post(f"/reports/exports/{number}/file")
    assert again.status_code == 409
    assert "已经下载过" in again.text
    assert "已下载" in dispatcher.get("/reports/exports").text


def test_what_is_small_leaves_as_before_and_one_s_own_is_decided_by_another(reported: Reported) -> None:
    centre = reported.desk.client(Role.CENTRE)
    small = centre.get(f"/reports/orders/file?figure=solved&part=left_out&format=csv&{NOVEMBER}")
    assert small.status_code == 200
    assert centre.post(asked_at(centre.get(FILE)), data={"reason": "报区里"}).status_code == 303
    page = centre.get("/reports/exports").text
    assert "自己申请的由别人批" in page
    assert "等批准" in page
