"""Firms over HTTP: applied for, listed, decided, priced; within rights and reach."""

from typing import Any

import pytest

from dispatch.rules.access.roles import Right
from tests.api.calling import Caller, caller
from tests.api.test_knowledge import post
from tests.conftest import Database
from tests.factories.world import World, make_world
from tests.services.catalogue.test_firms import a_uscc


@pytest.fixture
def world(committed: Database) -> World:
    with committed.session() as session:
        made = make_world(session, firms=2)
        made.plumbing.papers = ["营业执照"]
        session.commit()
    return made


@pytest.fixture
def centre(committed: Database, world: World) -> Caller:
    """A key of the district that may edit firms."""
    return caller(committed, world.district.id, Right.CATALOGUE_READ, Right.FIRMS_EDIT)


def application(world: World, **changes: Any) -> dict[str, Any]:
    """A firm's application."""
    paper = {"kind": "营业执照", "number": "1", "valid_from": "2026-01-01", "valid_until": "2099-01-01"}
    return {
        "community_id": world.community.id,
        "code": "F900",
        "name": "新来疏通",
        "uscc": a_uscc(),
        "contact": "陈师傅",
        "phone": "13905781234",
        "email": "f900@firms.example",
        "capacity": 3,
        "hours": ["1-7 08:00-20:00"],
        "service_codes": ["drain_clearing"],
        "papers": [paper],
    } | changes


def test_an_application_is_entered_listed_and_not_admitted_by_a_key(centre: Caller, world: World) -> None:
    made = post(centre, "/api/firms", application(world))
    assert (made.status_code, made.headers["Location"]) == (201, "/api/firms/F900")
    assert made.json is not None
    assert (made.json["standing"], made.json["papers_until"]) == ("applied", "2099-01-01")
    assert "13905781234" not in made.text
    listed = centre.get("/api/firms", standing="applied").json
    assert listed is not None
    assert [one["code"] for one in listed["items"]] == ["F900"]

    refused = post(centre, "/api/firms/F900/decisions", {"action": "admit", "reason": "齐全"})
    assert refused.status_code == 403
    assert post(centre, "/api/firms", application(world)).status_code == 409


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("uscc", "91331102MA0000000X"),
        ("phone", "12"),
        ("email", "nobody"),
        ("service_codes", ["unknown"]),
        ("area_ids", [9_999_999]),
        ("code", "编号"),
    ],
)
def test_a_wrong_field_is_named(centre: Caller, world: World, field: str, value: Any) -> None:
    answer = post(centre, "/api/firms", application(world, **{field: value}))
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["errors"][0]["field"] == field


def test_a_page_ends_with_a_mark_and_the_next_begins_there(centre: Caller) -> None:
    first = centre.get("/api/firms", limit=1).json
    assert first is not None
    second = centre.get("/api/firms", limit=1, cursor=first["next"]).json
    assert second is not None
    assert second["next"] is None
    assert first["items"] != second["items"]


def test_a_suspension_says_what_is_in_hand_and_prices_have_one_writer(centre: Caller, world: World) -> None:
    code = world.firms[0].code
    until = "2099-01-01T00:00:00+08:00"
    decided = post(centre, f"/api/firms/{code}/decisions", {"action": "suspend", "reason": "爽约", "until": until}).json
    assert decided is not None
    assert (decided["firm"]["standing"], decided["in_hand"]) == ("suspended", [])
    line = {"item": "室内疏通", "unit": "次", "from_fen": 6_000, "to_fen": 15_000}
    body = {"service_code": "drain_clearing", "valid_from": "2026-11-01", "version": 0, "lines": [line]}
    assert post(centre, f"/api/firms/{code}/prices", body).status_code == 201
    assert post(centre, f"/api/firms/{code}/prices", body).status_code == 409
    shown = centre.get(f"/api/firms/{code}/prices").json
    assert shown is not None
    assert [one["lines"] for one in shown["items"]] == [[line]]


def test_who_may_only_read_decides_nothing(committed: Database, world: World) -> None:
    reader = caller(committed, world.district.id, Right.CATALOGUE_READ)
    path = f"/api/firms/{world.firms[0].code}"
    assert reader.get(path).status_code == 200
    assert reader.get(f"{path}/decisions").status_code == 403
    assert post(reader, f"{path}/decisions", {"action": "leave", "reason": "x"}).status_code == 403
