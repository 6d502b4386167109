"""The stock over HTTP: read within reach, goods added once per key, a batch called back; a key keeps nothing."""

from dataclasses import dataclass

import pytest

from dispatch.rules.access.roles import Right
from tests.api.calling import Caller, caller
from tests.conftest import Database
from tests.factories.market import ONE, Shop, hand_out, make_shop, milk_of
from tests.factories.world import make_world

RIGHTS = (Right.MARKET_READ, Right.MARKET_KEEP, Right.MARKET_APPROVE)


@dataclass(frozen=True, slots=True)
class Scene:
    """A committed supermarket, who works for it, who only reads, and a stranger."""

    shop: Shop
    worker: Caller
    reader: Caller
    stranger: Caller


@pytest.fixture
def scene(committed: Database) -> Scene:
    """Milk of two batches, some of the first handed out."""
    with committed.session() as session:
        shop, other = make_shop(session), make_world(session)
        milk_of(session, shop, 5, 3, batch_number="B1")
        milk_of(session, shop, 4, -1, batch_number="B2")
        hand_out(session, shop, shop.milk, 2)
        session.commit()
    at = shop.world.district.id
    return Scene(
        shop,
        caller(committed, at, *RIGHTS),
        caller(committed, at, Right.MARKET_READ),
        caller(committed, other.district.id, *RIGHTS),
    )


def test_the_stock_says_what_may_be_given_today(scene: Scene) -> None:
    listed = scene.reader.get(f"/api/facilities/{scene.shop.facility.id}/stock").json or {}
    assert [(one["batch_number"], one["spot"], one["amount"], one["may_be_given"]) for one in listed["items"]] == [
        ("B2", "quarantine", 4, False),
        ("B1", "store", 3, True),
    ]
    assert listed["items"][1]["last_good_day"] == (scene.shop.today + 3 * ONE).isoformat()
    places = (scene.reader.get("/api/facilities").json or {})["items"]
    assert [one["kind"] for one in places] == ["love_market", "overseas_market"]


def test_another_community_s_stock_is_not_there(scene: Scene) -> None:
    assert scene.stranger.get(f"/api/facilities/{scene.shop.facility.id}/stock").status_code == 404
    assert (scene.stranger.get("/api/facilities").json or {})["items"] == []
    assert (scene.stranger.get("/api/goods").json or {})["items"] == []


def test_goods_are_added_once_per_key_and_found_by_initials(scene: Scene) -> None:
    body = {"community_id": scene.shop.world.community.id, "code": "flour", "name": "面粉", "category": "food"}
    body |= {"commodity": "gram", "unit": "斤", "life_amount": 9}
    headers = {"Authorization": f"Bearer {scene.worker.key}", "Idempotency-Key": "k1"}
    first, again = (scene.worker.client.post("/api/goods", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code, first.json == again.json) == (201, 201, True)
    assert [one["code"] for one in (scene.reader.get("/api/goods", q="mf").json or {})["items"]] == ["flour"]
    refused = scene.reader.client.post("/api/goods", json=body, headers={"Authorization": f"Bearer {scene.reader.key}"})
    assert refused.status_code == 403


def test_a_recall_lists_what_has_gone_out(scene: Scene) -> None:
    body = {"goods_id": scene.shop.milk.id, "batch_number": "B1", "reason": "厂家召回", "source": "市监局"}
    headers = {"Authorization": f"Bearer {scene.worker.key}"}
    called = scene.worker.client.post("/api/recalls", json=body, headers=headers)
    assert called.status_code == 201
    assert [(one["kind"], one["amount"]) for one in (called.json or {})["given"]] == [("parcel", 2)]
    assert (scene.reader.get(called.headers["Location"]).json or {})["given"] == (called.json or {})["given"]
    assert scene.stranger.get(called.headers["Location"]).status_code == 404
    assert scene.worker.client.post("/api/recalls", json=body, headers=headers).status_code == 422
