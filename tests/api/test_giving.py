"""Giving over HTTP: pledges kept once per key and fetched by an order; campaigns written; others see nothing."""

from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.test import TestResponse

from dispatch import clock
from dispatch.rules.access.roles import Right
from tests.api.calling import Caller, caller
from tests.conftest import Database
from tests.factories.giving import fetch_kind
from tests.factories.world import make_world
from tests.statements import statements

RIGHTS = (
    Right.PLEDGES_TAKE,
    Right.GIFTS_READ,
    Right.GIFTS_RECEIVE,
    Right.CAMPAIGNS_READ,
    Right.CAMPAIGNS_RUN,
)
GOODS = {"kind": "goods", "words": "两床棉被", "address_text": "说不清在哪里", "phone": "13800005678"}


@dataclass(frozen=True, slots=True)
class Scene:
    """A committed community, who works for it, who only takes pledges there, and a stranger."""

    database: Database
    community_id: int
    worker: Caller
    operator: Caller
    stranger: Caller


@pytest.fixture
def scene(committed: Database) -> Scene:
    with committed.session() as session:
        world, other = make_world(session), make_world(session)
        fetch_kind(session, world)
        session.commit()
    return Scene(
        committed,
        world.community.id,
        caller(committed, world.district.id, *RIGHTS),
        caller(committed, world.district.id, Right.PLEDGES_TAKE),
        caller(committed, other.district.id, *RIGHTS),
    )


def post(who: Caller, path: str, body: dict[str, Any], key: str | None = None) -> TestResponse:
    """A POST with a JSON body."""
    headers = {"Authorization": f"Bearer {who.key}"} | ({"Idempotency-Key": key} if key else {})
    return who.client.post(path, json=body, headers=headers)


def test_a_pledge_is_kept_once_per_key_and_fetched_by_an_order_once(scene: Scene) -> None:
    body = GOODS | {"community_id": scene.community_id}
    first, again = (post(scene.operator, "/api/pledges", body, "k1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    made = first.json or {}
    assert (made["phone"], made["state"], made["order_number"]) == ("138****5678", "open", None)
    fetched = post(scene.operator, f"/api/pledges/{made['id']}/fetching", {"version": 1})
    assert (fetched.status_code, (fetched.json or {})["state"]) == (200, "fetching")
    assert (fetched.json or {})["order_number"].startswith("HQ")
    assert post(scene.operator, f"/api/pledges/{made['id']}/fetching", {}).status_code == 409
    listed = scene.operator.get("/api/pledges")
    assert [one["id"] for one in (listed.json or {})["items"]] == [made["id"]]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"phone": None}, "phone"),
        ({"address_text": ""}, "address_text"),
        ({"fen": 100}, "fen"),
        ({"kind": "ghost"}, "kind"),
        ({"source": "site"}, "source"),
        ({"state": "received"}, "state"),
        ({"words": "\x00"}, "words"),
    ],
)
def test_a_wrong_pledge_names_its_field(scene: Scene, changes: dict[str, Any], field: str) -> None:
    answer = post(scene.operator, "/api/pledges", GOODS | {"community_id": scene.community_id} | changes)
    assert answer.status_code == 422
    assert field in answer.text


def test_another_s_objects_are_not_there_and_nothing_is_told_of_them(scene: Scene) -> None:
    body = {"community_id": scene.community_id, "name": "陈桂花", "phone": "13800005678"}
    donor = (post(scene.worker, "/api/donors", body).json or {})["id"]
    pledge = (post(scene.worker, "/api/pledges", GOODS | {"community_id": scene.community_id}).json or {})["id"]
    for path in (f"/api/donors/{donor}", f"/api/pledges/{pledge}"):
        assert scene.worker.get(path).status_code == 200
        assert scene.stranger.get(path).status_code == 404
    assert post(scene.stranger, "/api/donors", body).status_code == 404
    for path in ("donors", "pledges", "partners", "appeals", "media-reports", "chat-sessions"):
        assert (scene.stranger.get(f"/api/{path}").json or {})["items"] == []


def test_who_only_takes_pledges_sees_no_donor_and_runs_no_campaign(scene: Scene) -> None:
    for path in ("/api/donors", "/api/partners", "/api/appeals", "/api/media-reports", "/api/chat-sessions"):
        assert scene.operator.get(path).status_code == 403


def test_donors_are_found_and_named_by_consent(scene: Scene) -> None:
    for name in ("陈桂花", "陈桂香", "王秀英"):
        post(scene.worker, "/api/donors", {"community_id": scene.community_id, "name": name})
    page = scene.worker.get("/api/donors", q="陈", limit=1).json or {}
    assert [one["name"] for one in page["items"]] == ["陈桂香"]
    rest = scene.worker.get("/api/donors", q="陈", cursor=page["next"]).json or {}
    assert ([one["name"] for one in rest["items"]], rest["next"]) == (["陈桂花"], None)
    named = post(scene.worker, f"/api/donors/{rest['items'][0]['id']}/naming", {"is_named": True})
    assert (named.json or {})["is_named"] is True


def test_a_campaign_is_written_and_read_back(scene: Scene) -> None:
    with scene.database.session() as session:
        now = clock.now(session)
        day = clock.today(now).isoformat()
    community = {"community_id": scene.community_id}
    partner = post(scene.worker, "/api/partners", community | {"kind": "charity", "name": "慈善总会"})
    assert partner.status_code == 201
    signed = {"purpose": "sale", "number": "2026-1", "words": "全部归入基金", "signed_on": day}
    path = f"/api/partners/{(partner.json or {})['id']}/agreements"
    assert post(scene.worker, path, signed).status_code == 201
    assert post(scene.worker, path, signed).status_code == 409
    appeal = post(scene.worker, "/api/appeals", community | {"title": "捐一件衣", "words": "天冷了。"})
    given = {"copies": 30, "given_where": "老年协会", "given_on": day}
    path = f"/api/appeals/{(appeal.json or {})['id']}/prints"
    assert post(scene.worker, path, given).status_code == 201
    media = community | {"medium": "newspaper", "outlet": "处州晚报", "title": "义卖", "published_on": day}
    assert post(scene.worker, "/api/media-reports", media | {"shows_people": True}).status_code == 422
    assert post(scene.worker, "/api/media-reports", media | {"shows_people": False}).status_code == 201
    chat = community | {"held_on": day, "topic": "拉家常", "present": 3, "referred": 4}
    assert post(scene.worker, "/api/chat-sessions", chat).status_code == 422
    assert post(scene.worker, "/api/chat-sessions", chat | {"referred": 1}).status_code == 201
    (shown,) = (scene.worker.get("/api/partners").json or {})["items"]
    assert [one["number"] for one in shown["agreements"]] == ["2026-1"]
    assert [one["copies"] for one in (scene.worker.get("/api/appeals").json or {})["items"]] == [30]


def test_lists_ask_as_often_for_many_as_for_one(scene: Scene) -> None:
    def asked(number: int) -> list[int]:
        for place in range(number):
            assert post(scene.worker, "/api/pledges", GOODS | {"community_id": scene.community_id}).status_code == 201
            body = {"community_id": scene.community_id, "kind": "unit", "name": f"单位{number}-{place}"}
            assert post(scene.worker, "/api/partners", body).status_code == 201
        return [count(path) for path in ("/api/pledges", "/api/partners")]

    def count(path: str) -> int:
        with statements(scene.database.engine) as seen:
            assert scene.worker.get(path).status_code == 200
        return len(seen)

    assert asked(1) == asked(8)
