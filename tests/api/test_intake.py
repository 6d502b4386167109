"""Intake: the answer is what a look at the order shows, and one call costs few statements and one trip to Redis."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from config.settings import get_settings
from dispatch.gateways.broker import Broker, Recorded
from dispatch.gateways.limits import limiter
from dispatch.rules.access.roles import SYSTEM, Right
from dispatch.rules.queue import Lane
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services.access import keys
from tests.conftest import Database, the_app
from tests.factories.grid import NOW
from tests.factories.world import make_world, service
from tests.statements import statements

LIMITER_DATABASE = 3


@dataclass(frozen=True, slots=True)
class Desk:
    """A machine that places orders, and an address of its world in words."""

    client: FlaskClient
    headers: dict[str, str]
    address: str

    def call(self, **changes: Any) -> dict[str, Any]:
        """The body of a call."""
        body = {
            "service_code": "drain_clearing",
            "description": "下水道堵了",
            "address_text": self.address,
            "caller_name": "张三",
            "caller_phone": "13957812345",
        }
        return body | changes

    def place(self, body: dict[str, Any], **headers: str) -> dict[str, Any]:
        """Place it; the order as it was answered."""
        answer = self.client.post("/api/orders", json=body, headers=self.headers | headers)
        assert answer.status_code == 201, answer.text
        placed: dict[str, Any] = answer.json
        assert answer.headers["Location"] == f"/api/orders/{placed['number']}"
        return placed


@pytest.fixture
def hints() -> Iterator[Recorded]:
    """The hints that this test's calls give, kept instead of sent."""
    before, Broker.way = Broker.way, Recorded()
    yield Broker.way
    Broker.way = before


@pytest.fixture
def desk(committed: Database, hints: Recorded) -> Desk:  # noqa: ARG001 - no hint leaves
    """A small world with a kind that is confidential, and a key that may place and read."""
    with committed.session() as session:
        world = make_world(session)
        service(session, world.district, "mourning", confidential=True)
        _, key = keys.create_key(
            session,
            name="desk",
            organisation_id=world.district.id,
            scopes=[Right.ORDERS_PLACE, Right.ORDERS_READ],
            actor=SYSTEM,
            now=NOW,
        )
        estate = world.buildings[0].address.removesuffix("1幢")
        address = f"{estate},1幢2单元302室"
        session.commit()
    return Desk(the_app().test_client(), {"Authorization": f"Bearer {key}"}, address)


def in_hours(hours: int) -> str:
    """A moment to come, as a caller in Lishui writes it."""
    return (datetime.now(SHANGHAI) + timedelta(hours=hours)).isoformat()


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, "stairwell"),
        ({"address_text": "不知道在哪里", "caller_phone": None}, "unresolved"),
        ({"address_text": "1幢后面", "urgency": "emergency"}, None),
        ({"service_code": "mourning"}, None),
        ({"confidential": True}, None),
        ({"wanted_from": in_hours(24), "wanted_until": in_hours(26)}, "stairwell"),
        ({"source_number": "12345-1", "room": "301"}, "stairwell"),
    ],
)
def test_the_answer_is_what_a_look_at_the_order_shows(desk: Desk, changes: dict[str, Any], outcome: str | None) -> None:
    placed = desk.place(desk.call(**changes))
    seen = desk.client.get(f"/api/orders/{placed['number']}", headers=desk.headers)
    assert seen.json == placed
    assert outcome in {None, placed["place_outcome"]}


def test_a_call_costs_three_statements_and_with_a_key_five(desk: Desk, committed: Database) -> None:
    desk.place(desk.call())
    with statements(committed.engine) as plain:
        desk.place(desk.call())
    with statements(committed.engine) as keyed:
        desk.place(desk.call(), **{"Idempotency-Key": "one"})
    assert [one.split()[0] for one in plain] == ["SELECT", "SELECT", "WITH"]
    assert [one.split()[0] for one in keyed] == ["SELECT", "INSERT", "SELECT", "WITH", "UPDATE"]


def test_a_call_gives_one_hint_after_its_commit(desk: Desk, hints: Recorded) -> None:
    desk.place(desk.call())
    desk.place(desk.call(address_text="不知道在哪里"))
    assert [lane for lane, _ in hints.hints] == [Lane.DISPATCH]


def test_a_call_is_counted_by_one_command_of_redis(desk: Desk) -> None:
    with redis.Redis.from_url(get_settings().redis_url) as broker:
        desk.place(desk.call())
        before = commands(broker)
        for _ in range(3):
            desk.place(desk.call())
        after = commands(broker)
    asked = {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)}
    assert {name: count for name, count in asked.items() if name not in OUTSIDE_OF_CALLS} == {"evalsha": 3}
    assert limiter.enabled


# what the script of the counter does within Redis, and what this test asks itself
OUTSIDE_OF_CALLS = frozenset({"info", "incrby", "expire", "ttl", "select", "client|setinfo", "hello"})


def commands(broker: "redis.Redis") -> dict[str, int]:
    """How often each command was executed so far."""
    found: dict[str, Any] = broker.info("commandstats")
    return {name.removeprefix("cmdstat_"): int(row["calls"]) for name, row in found.items()}
