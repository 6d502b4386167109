"""保密 over HTTP: a machine may hide an order, which then is its shell to it as well; it never lifts it."""

import pytest
from flask.testing import FlaskClient

from dispatch.rules.access.roles import SYSTEM, Right
from dispatch.services.access import keys
from tests.conftest import Database, the_app
from tests.factories.grid import NOW
from tests.factories.world import make_world

MATTER = "家里的事"


@pytest.fixture
def placed(committed: Database) -> tuple[FlaskClient, str]:
    """A machine of all rights and the number of its order."""
    with committed.session() as session:
        world = make_world(session)
        scopes = tuple(Right)
        _, key = keys.create_key(
            session, name="k", organisation_id=world.district.id, scopes=scopes, actor=SYSTEM, now=NOW
        )
        session.commit()
    client = the_app().test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    body = {"service_code": "drain_clearing", "description": MATTER, "stairwell_id": world.stairwells[0].id}
    return client, str(client.post("/api/orders", json=body).json["number"])


def test_a_machine_hides_an_order_once_per_key_and_then_sees_its_shell(placed: tuple[FlaskClient, str]) -> None:
    client, number = placed
    path, body = f"/api/orders/{number}/confidentiality", {"confidential": True, "reason": "居民要求"}
    first, again = (client.post(path, json=body, headers={"Idempotency-Key": "once"}) for _ in range(2))
    assert (first.status_code, again.status_code, again.json) == (200, 200, first.json)
    assert MATTER not in first.text
    event = client.get(f"/api/orders/{number}/history").json["items"][-1]
    assert (event["action"], event["reason"]) == ("conceal", None)
    other = client.post(path, json=body)
    assert (other.status_code, "已经是保密订单" in other.json["detail"]) == (409, True)


def test_a_machine_never_lifts_it_and_says_what_it_wants_whole(placed: tuple[FlaskClient, str]) -> None:
    client, number = placed
    path = f"/api/orders/{number}/confidentiality"
    assert client.post(path, json={"reason": "居民要求"}).status_code == 422
    assert client.post(path, json={"confidential": True, "reason": ""}).status_code == 422
    client.post(path, json={"confidential": True, "reason": "居民要求"})
    assert client.post(path, json={"confidential": False, "reason": "同意公开"}).status_code == 403
    assert MATTER not in client.get(f"/api/orders/{number}").text
