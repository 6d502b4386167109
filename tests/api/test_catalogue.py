"""Kinds, teams and performers over HTTP: found as typed, within reach, without secrets."""

import pytest

from dispatch.rules.access.roles import SYSTEM, Right
from dispatch.services import catalogue
from tests.api.calling import Caller, caller
from tests.conftest import Database
from tests.factories.world import World, make_world


@pytest.fixture
def world(committed: Database) -> World:
    """A committed world with the seeded kinds, and another district beside it."""
    with committed.session() as session:
        made = make_world(session, firms=3)
        catalogue.seed_catalogue(session, made.district.id, actor=SYSTEM)
        make_world(session, firms=1)
        session.commit()
    return made


@pytest.fixture
def reader(committed: Database, world: World) -> Caller:
    """A key of the district that may read the catalogue."""
    return caller(committed, world.district.id, Right.CATALOGUE_READ)


def test_kinds_are_found_as_typed(reader: Caller) -> None:
    answer = reader.get("/api/services", list="hotline", q="gdst").json

    assert answer is not None
    assert answer["items"][0]["name"] == "管道疏通"
    assert answer["next"] is None


def test_a_kind_shows_its_questions_and_an_unknown_one_is_404(reader: Caller) -> None:
    shown = reader.get("/api/services/locksmith").json

    assert shown is not None
    assert shown["questions"][0]["values"] == {"yes": "有", "no": "没有"}
    assert reader.get("/api/services/no_such_kind").status_code == 404


def test_teams_are_those_in_reach(reader: Caller, world: World) -> None:
    answer = reader.get("/api/teams").json
    lines = reader.get("/api/teams", kind="line").json

    assert answer is not None
    assert lines is not None
    assert {one["id"] for one in answer["items"]} == {world.block.id, world.line.id}
    assert [one["id"] for one in lines["items"]] == [world.line.id]


def test_performers_are_those_in_reach_and_show_no_secret(reader: Caller, world: World) -> None:
    first = reader.get("/api/performers", kind="firm", limit=2).json
    assert first is not None
    second = reader.get("/api/performers", kind="firm", limit=2, cursor=first["next"]).json
    assert second is not None

    shown = first["items"] + second["items"]
    assert [one["id"] for one in shown] == [one.id for one in world.firms]
    assert second["next"] is None
    assert not {"phone", "email", "webhook_url", "webhook_secret", "uscc"} & shown[0].keys()
    served = reader.get("/api/performers", service_code="locksmith").json
    assert served is not None
    assert served["items"] == []


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/api/services", {"list": "shop"}, 422),
        ("/api/services", {"colour": "red"}, 422),
        ("/api/performers", {"service_code": "no_such_kind"}, 422),
        ("/api/teams", {"cursor": "x" * 300}, 422),
    ],
)
def test_a_bad_query_is_refused(reader: Caller, path: str, query: dict[str, str], status: int) -> None:
    assert reader.get(path, **query).status_code == status


def test_a_key_without_the_right_is_refused(committed: Database, world: World) -> None:
    assert caller(committed, world.district.id, Right.GRID_READ).get("/api/services").status_code == 403
