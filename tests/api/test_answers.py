"""直接答复 over HTTP: closed once per key, cited as it was read, seen and judged within reach only."""

from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from dispatch import clock
from dispatch.models.orders import KnowledgeUse
from dispatch.rules.access.roles import Right, Role, Scope
from tests.api.calling import Caller, caller
from tests.conftest import Database
from tests.factories.knowledge import make_knowledge
from tests.factories.world import World, make_world, staff

CALL: dict[str, Any] = {"description": "老年卡怎么办", "knowledge_code": "elder_card", "knowledge_version": 1}
OPERATOR = (Right.ORDERS_PLACE, Right.ORDERS_READ)


@pytest.fixture
def world(committed: Database) -> World:
    with committed.session() as session:
        made = make_world(session, firms=1)
        make_knowledge(session, staff(session, made, Role.CENTRE), clock.now(session))
        session.commit()
    return made


@pytest.fixture
def operator(committed: Database, world: World) -> Caller:
    """A key that may take calls."""
    return caller(committed, world.district.id, *OPERATOR)


def post(who: Caller, path: str, body: dict[str, Any], key: str | None = None) -> TestResponse:
    headers = {"Authorization": f"Bearer {who.key}"} | ({"Idempotency-Key": key} if key else {})
    return who.client.post(path, json=body, headers=headers)


def answered(who: Caller, **changes: Any) -> str:
    made = post(who, "/api/orders/answered", CALL | changes)
    assert made.status_code == 201, made.get_data(as_text=True)
    assert made.json is not None
    assert made.json["state"] == "answered"
    return str(made.json["number"])


def test_a_call_is_closed_once_per_key(operator: Caller) -> None:
    first = post(operator, "/api/orders/answered", CALL, "a-key")
    again = post(operator, "/api/orders/answered", CALL, "a-key")
    assert (first.status_code, again.status_code, again.data) == (201, 201, first.data)
    assert first.json is not None
    listed = operator.get("/api/orders", state="answered").json
    assert listed is not None
    assert [one["number"] for one in listed["items"]] == [first.json["number"]]
    assert first.headers["Location"] == f"/api/orders/{first.json['number']}"


def test_what_it_was_answered_with_is_shown_and_judged_once(operator: Caller) -> None:
    number = answered(operator)
    shown = operator.get(f"/api/orders/{number}/answer").json
    assert shown is not None
    assert (shown["knowledge_code"], shown["knowledge_version"], shown["useful"]) == ("elder_card", 1, "not_asked")
    assert post(operator, f"/api/orders/{number}/usefulness", {"useful": "yes"}).status_code == 200
    assert post(operator, f"/api/orders/{number}/usefulness", {"useful": "no"}).status_code == 409
    judged = operator.get(f"/api/orders/{number}/answer").json
    assert judged is not None
    assert judged["useful"] == "yes"


def test_a_received_order_is_answered_and_a_placed_one_is_not(operator: Caller, world: World) -> None:
    body = {"service_code": "mediation", "description": "老年卡怎么办"}
    received = post(operator, "/api/orders", body).json
    assert received is not None
    number = received["number"]
    assert operator.get(f"/api/orders/{number}/answer").status_code == 404
    done = post(operator, f"/api/orders/{number}/answer", {"knowledge_code": "elder_card", "version": 1})
    assert done.status_code == 200
    placed = post(operator, "/api/orders", body | {"stairwell_id": world.stairwells[0].id}).json
    assert placed is not None
    refused = post(operator, f"/api/orders/{placed['number']}/answer", {"knowledge_code": "elder_card"})
    assert refused.status_code == 409


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"knowledge_code": "no_such"}, 404),
        ({"knowledge_version": 7}, 409),
        ({"useful": "perhaps"}, 422),
        ({"service_code": "no_such"}, 422),
        ({"knowledge_code": None}, 422),
    ],
)
def test_a_wrong_citation_closes_nothing(operator: Caller, changes: dict[str, Any], status: int) -> None:
    assert post(operator, "/api/orders/answered", CALL | changes).status_code == status
    listed = operator.get("/api/orders").json
    assert listed is not None
    assert listed["items"] == []


def test_who_may_not_place_cannot_answer(committed: Database, world: World, operator: Caller) -> None:
    number = answered(operator)
    reader = caller(committed, world.district.id, Right.ORDERS_READ)
    assert post(reader, "/api/orders/answered", CALL).status_code == 403
    assert post(reader, f"/api/orders/{number}/usefulness", {"useful": "yes"}).status_code == 403


def test_the_use_is_seen_within_reach_only(committed: Database, operator: Caller) -> None:
    number = answered(operator)
    with committed.session() as session:
        other = make_world(session, firms=1)
        session.commit()
    stranger = caller(committed, other.district.id, *OPERATOR)
    assert stranger.get(f"/api/orders/{number}/answer").status_code == 404
    assert post(stranger, f"/api/orders/{number}/usefulness", {"useful": "yes"}).status_code == 404
    scope = Scope(organisations=frozenset({other.district.id}), communities=frozenset({other.community.id}))
    with committed.session(scope) as session:
        assert session.scalars(select(KnowledgeUse)).all() == []
    with committed.session() as session:
        assert len(session.scalars(select(KnowledgeUse)).all()) == 1
