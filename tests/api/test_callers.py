"""Callers over HTTP: counted once per key, masked, nothing told of a confidential order; merged, taken apart, split."""

from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dispatch.rules.access.roles import SYSTEM, Right
from dispatch.services.access import keys
from tests.conftest import Database, the_app
from tests.factories.grid import NOW
from tests.factories.world import World, make_world

PHONE, OTHER = "17400000001", "17400000002"


@dataclass(frozen=True, slots=True)
class Desk:
    """A machine of all rights at a small world."""

    client: FlaskClient
    headers: dict[str, str]
    world: World

    def post(self, path: str, body: dict[str, Any], **headers: str) -> TestResponse:
        """POST to an address under /api/orders."""
        return self.client.post(f"/api/orders{path}", json=body, headers=self.headers | headers)

    def place(self, **changes: Any) -> str:
        """The number of a new order."""
        body = {
            "service_code": "drain_clearing",
            "description": "下水道堵了",
            "stairwell_id": self.world.stairwells[0].id,
            "caller_name": "王某",
            "caller_phone": PHONE,
        }
        placed = self.post("", body | changes)
        assert placed.status_code == 201, placed.text
        return str(placed.json["number"])

    def callers(self, number: str) -> dict[str, Any]:
        """Who called about an order."""
        found: dict[str, Any] = self.client.get(f"/api/orders/{number}/callers", headers=self.headers).json
        return found


@pytest.fixture
def desk(committed: Database) -> Desk:
    with committed.session() as session:
        world = make_world(session)
        _, key = keys.create_key(
            session, name="k", organisation_id=world.district.id, scopes=tuple(Right), actor=SYSTEM, now=NOW
        )
        session.commit()
    return Desk(the_app().test_client(), {"Authorization": f"Bearer {key}"}, world)


def test_a_call_sent_again_with_its_key_is_counted_once_and_the_phone_is_masked(desk: Desk) -> None:
    number = desk.place()
    body = {"caller_name": "李某", "caller_phone": OTHER, "words": "也堵了"}
    for _ in range(2):
        counted = desk.post(f"/{number}/repeat-calls", body, **{"Idempotency-Key": "once"})
        assert (counted.status_code, counted.json["repeat_calls"]) == (200, 1)
    found = desk.callers(number)
    assert found["calls"] == 2
    assert [one["calls"] for one in found["items"]] == [1, 1]
    assert [one["phone"] for one in found["items"]] == ["174****0001", "174****0002"]


def test_of_a_confidential_order_neither_who_nor_what(desk: Desk) -> None:
    number = desk.place(confidential=True)
    desk.post(f"/{number}/repeat-calls", {"caller_name": "李某", "caller_phone": OTHER, "words": "也堵了"})
    found = desk.callers(number)
    assert [(one["name"], one["phone"], one["words"]) for one in found["items"]] == [(None, None, "")] * 2


def test_merged_and_taken_apart_again(desk: Desk) -> None:
    one, other = desk.place(), desk.place(caller_phone=OTHER)
    merged = desk.post(f"/{one}/merge", {"into": other})
    assert (merged.status_code, merged.json["number"]) == (200, other)
    assert (desk.callers(one)["merged_into"], desk.callers(other)["merged"]) == (other, [one])
    assert [each["from_order"] for each in desk.callers(other)["items"]] == [None, one]
    apart = desk.post(f"/{one}/unmerge", {"reason": "不是同一件事"})
    assert (apart.status_code, apart.json["state"]) == (200, "awaiting_dispatch")
    assert desk.callers(other)["calls"] == 1


def test_another_place_needs_a_reason_and_the_refusal_names_it(desk: Desk) -> None:
    one, other = desk.place(), desk.place(stairwell_id=desk.world.stairwells[4].id)
    refused = desk.post(f"/{one}/merge", {"into": other})
    assert refused.status_code == 422
    assert "reason" in refused.text
    assert desk.post(f"/{one}/merge", {"into": one}).status_code == 409


def test_a_second_matter_becomes_an_order_of_the_same_caller(desk: Desk) -> None:
    number = desk.place()
    made = desk.post(f"/{number}/split", {"service_code": "mediation", "description": "楼上太吵"})
    assert made.status_code == 201
    assert made.headers["Location"] == f"/api/orders/{made.json['number']}"
    assert (made.json["caller_name"], made.json["stairwell_id"]) == ("王某", desk.world.stairwells[0].id)
    assert desk.callers(made.json["number"])["split_from"] == number
