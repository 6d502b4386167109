"""Reports over HTTP: figures, trends, orders behind a figure and files, within reach and with the right."""

from collections.abc import Iterator

import pytest

from dispatch.rules.access.roles import Right
from tests.api.calling import Caller, caller
from tests.conftest import Database, Servers, database_of_its_own
from tests.factories.reported import live_a_week, lives_of
from tests.factories.world import World, make_world

NOVEMBER = {"from": "2026-11-01", "until": "2026-11-30"}


@pytest.fixture(scope="module")
def committed(servers: Servers) -> Iterator[Database]:
    """One database for the whole file, which only reads."""
    with database_of_its_own(servers) as database:
        yield database


@pytest.fixture(scope="module")
def worlds(committed: Database) -> tuple[World, World]:
    """A world with ten counted orders, and another without."""
    with committed.session() as session:
        lives, other = lives_of(session, make_world(session)), make_world(session)
        live_a_week(lives)
        lives.counted()
        session.commit()
    return lives.world, other


@pytest.fixture
def reader(committed: Database, worlds: tuple[World, World]) -> Caller:
    """A key of the district that may read reports."""
    return caller(committed, worlds[0].district.id, Right.REPORTS_READ)


def test_a_report_has_rows_figures_and_the_period_before(reader: Caller, worlds: tuple[World, World]) -> None:
    answer = reader.get("/api/reports", by="kind", **NOVEMBER).json
    assert answer is not None
    assert {row["name"]: row["counts"]["placed"] for row in answer["items"]} == {"管道疏通": 7, "mediation": 3}
    figures = {one["figure"]: one for one in answer["figures"]}
    assert figures["solved"] == {
        "figure": "solved",
        "numerator": 3.0,
        "denominator": 4.0,
        "shown": "75.00",
        "percent": True,
    }
    assert figures["signed_in_time"]["shown"] is None
    assert (answer["before_from"], answer["before_until"]) == ("2026-10-01", "2026-10-31")
    narrowed = reader.get("/api/reports", team_id=worlds[0].line.id, **NOVEMBER).json
    assert narrowed is not None
    assert narrowed["counts"]["placed"] == 7


def test_a_trend_has_each_day(reader: Caller) -> None:
    answer = reader.get("/api/reports/trend", **NOVEMBER).json
    assert answer is not None
    assert len(answer["items"]) == 30
    assert sum(step["counts"]["placed"] for step in answer["items"]) == 10


def test_heat_has_every_area_and_building_as_the_page_has_them(reader: Caller, worlds: tuple[World, World]) -> None:
    answer = reader.get("/api/reports/heat", **NOVEMBER).json
    assert answer is not None
    assert (answer["steps"][0], len(answer["steps"])) == ({"first": "2026-11-01", "last": "2026-11-01"}, 30)
    (area,) = answer["areas"]
    assert (area["id"], sum(area["steps"]), sum(area["hours"]), len(area["hours"])) == (worlds[0].area.id, 10, 10, 24)
    assert {one["id"] for one in answer["buildings"]} == {one.id for one in worlds[0].buildings}
    assert sum(one["placed"] for one in answer["buildings"]) == 10
    for refused in ({"service_id": "1"}, {"by": "kind"}, {"from": "2026-12-01"}):
        assert reader.get("/api/reports/heat", **(NOVEMBER | refused)).status_code == 422


def test_the_rules_most_overridden_name_who_and_why(reader: Caller) -> None:
    answer = reader.get("/api/reports/overrides", **NOVEMBER).json
    assert answer is not None
    assert (answer["times"], answer["is_cut"], len(answer["newest"])) == (1, False, 1)
    (rule,) = answer["rules"]
    assert rule["reasons"] == [{"words": "居民点名", "times": 1}]
    assert answer["newest"][0]["rules"] == [rule["rule"]]


def test_a_figure_opens_page_by_page(reader: Caller) -> None:
    seen, cursor = [], None
    while True:
        query = {"figure": "closed_in_time", "limit": 4, **NOVEMBER} | ({"cursor": cursor} if cursor else {})
        answer = reader.get("/api/reports/orders", **query).json
        assert answer is not None
        seen += answer["items"]
        cursor = answer["next"]
        if cursor is None:
            break
    assert [one["reason"] for one in seen].count("voided") == 1
    assert len({one["number"] for one in seen}) == 10
    assert set(seen[0]) == {"number", "day", "part", "reason", "service", "area", "team", "performer"}


def test_files_are_given_in_three_forms(reader: Caller) -> None:
    for form, begins in (("csv", "\ufeff".encode()), ("xlsx", b"PK"), ("pdf", b"%PDF")):
        assert reader.get("/api/reports/file", format=form, **NOVEMBER).data.startswith(begins)
    orders = reader.get("/api/reports/orders/file", figure="solved", part="left_out", **NOVEMBER)
    assert orders.mimetype == "text/csv"
    assert orders.get_data(as_text=True).count("HQ") == 1


def test_another_district_sees_nothing_and_without_the_right_nobody(
    committed: Database, worlds: tuple[World, World]
) -> None:
    stranger = caller(committed, worlds[1].district.id, Right.REPORTS_READ)
    answer = stranger.get("/api/reports", community_id=worlds[0].community.id, **NOVEMBER).json
    assert answer is not None
    assert (answer["items"], answer["counts"]["placed"]) == ([], 0)
    opened = stranger.get("/api/reports/orders", figure="closed", **NOVEMBER).json
    assert opened == {"items": [], "next": None}
    other = caller(committed, worlds[0].district.id, Right.ORDERS_READ)
    for path in ("", "/trend", "/heat", "/overrides", "/orders", "/file", "/orders/file"):
        assert other.get(f"/api/reports{path}", **NOVEMBER).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-11-30", "until": "2026-11-01"},
        {"from": "0001-01-01", "until": "0001-01-02"},
        {"from": "2026-11-01"},
        {"from": "x", "until": "2026-11-01"},
        {**NOVEMBER, "by": "caller"},
        {**NOVEMBER, "phone": "1"},
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_field(reader: Caller, query: dict[str, str]) -> None:
    answer = reader.get("/api/reports", **query)
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["errors"]
