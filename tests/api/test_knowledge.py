"""Knowledge over HTTP: found as typed, written once per key, edited by one at a time, within rights."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from dispatch.rules.access.roles import Right
from tests.api.calling import Caller, caller
from tests.conftest import Database
from tests.factories.world import World, make_world

BODY: dict[str, Any] = {
    "code": "elder_card",
    "title": "老年卡办理",
    "body": "带身份证到社区便民窗口。",
    "source": "示例",
    "valid_from": "2026-01-01",
    "kinds": ["drain_clearing"],
    "words": ["老年证"],
}
CHANGED = {name: value for name, value in BODY.items() if name != "code"} | {"body": "全程网办。", "version": 1}


@pytest.fixture
def world(committed: Database) -> World:
    with committed.session() as session:
        made = make_world(session, firms=1)
        session.commit()
    return made


@pytest.fixture
def editor(committed: Database, world: World) -> Caller:
    """A key of the district that may edit the catalogue."""
    return caller(committed, world.district.id, Right.CATALOGUE_READ, Right.CATALOGUE_EDIT)


def post(who: Caller, path: str, body: dict[str, Any], key: str | None = None) -> TestResponse:
    headers = {"Authorization": f"Bearer {who.key}"} | ({"Idempotency-Key": key} if key else {})
    return who.client.post(path, json=body, headers=headers)


def found(who: Caller, **query: Any) -> list[str]:
    answer = who.get("/api/knowledge", **query).json
    assert answer is not None
    return [one["code"] for one in answer["items"]]


def test_an_item_is_published_found_revised_and_withdrawn(editor: Caller) -> None:
    made = post(editor, "/api/knowledge", BODY)
    assert (made.status_code, made.headers["Location"]) == (201, "/api/knowledge/elder_card")
    assert found(editor, q="lnk") == found(editor, q="老年证") == ["elder_card"]
    assert found(editor, kind="drain_clearing") == ["elder_card"]

    revised = post(editor, "/api/knowledge/elder_card/versions", CHANGED)
    assert revised.status_code == 201
    shown = editor.get("/api/knowledge/elder_card").json
    assert shown is not None
    assert (shown["version"], shown["body"]) == (2, "全程网办。")
    versions = editor.get("/api/knowledge/elder_card/versions").json
    assert versions is not None
    assert [one["body"] for one in versions["items"]] == ["全程网办。", BODY["body"]]

    gone = post(editor, "/api/knowledge/elder_card/withdrawal", {"reason": "政策变了", "version": 2}).json
    assert gone is not None
    assert (gone["state"], gone["withdraw_reason"]) == ("withdrawn", "政策变了")
    assert found(editor, q="lnk") == found(editor) == []
    assert found(editor, withdrawn="true") == ["elder_card"]


def test_the_same_key_publishes_once(editor: Caller) -> None:
    first = post(editor, "/api/knowledge", BODY, "a-key")
    again = post(editor, "/api/knowledge", BODY, "a-key")
    assert (first.status_code, again.status_code, again.data) == (201, 201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert post(editor, "/api/knowledge", BODY).status_code == 409


def test_an_older_version_answers_409_and_a_bad_field_is_named(editor: Caller) -> None:
    post(editor, "/api/knowledge", BODY)
    assert post(editor, "/api/knowledge/elder_card/versions", CHANGED).status_code == 201
    assert post(editor, "/api/knowledge/elder_card/versions", CHANGED).status_code == 409
    wrong = post(editor, "/api/knowledge/elder_card/versions", CHANGED | {"version": 2, "kinds": ["no_such"]})
    assert wrong.status_code == 422
    assert "kinds" in wrong.get_data(as_text=True)
    assert post(editor, "/api/knowledge", BODY | {"code": "老年"}).status_code == 422
    assert editor.get("/api/knowledge/no_such").status_code == 404


def test_all_of_it_is_read_page_by_page(editor: Caller) -> None:
    codes = [f"card{number}" for number in range(3)]
    for code in codes:
        post(editor, "/api/knowledge", BODY | {"code": code})
    first = editor.get("/api/knowledge", limit=2).json
    assert first is not None
    second = editor.get("/api/knowledge", limit=2, cursor=first["next"]).json
    assert second is not None
    assert [one["code"] for one in first["items"] + second["items"]] == codes
    assert second["next"] is None


def test_who_may_only_read_cannot_write_and_who_may_not_read_sees_nothing(
    committed: Database, world: World, editor: Caller
) -> None:
    post(editor, "/api/knowledge", BODY)
    reader = caller(committed, world.district.id, Right.CATALOGUE_READ)
    assert reader.get("/api/knowledge/elder_card").status_code == 200
    assert post(reader, "/api/knowledge/elder_card/versions", CHANGED).status_code == 403
    assert caller(committed, world.district.id, Right.GRID_READ).get("/api/knowledge").status_code == 403


def test_a_community_reads_what_it_inherits_and_cannot_change_it(
    committed: Database, world: World, editor: Caller
) -> None:
    post(editor, "/api/knowledge", BODY)
    below = caller(committed, world.community.id, Right.CATALOGUE_READ, Right.CATALOGUE_EDIT)
    assert found(below, q="lnk") == ["elder_card"]
    assert post(below, "/api/knowledge/elder_card/versions", CHANGED).status_code == 403
