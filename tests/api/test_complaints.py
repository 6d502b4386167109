"""Complaints over HTTP: raised, listed, answered, decided by another; a confidential order keeps the words back."""

import pytest
from sqlalchemy import update

from dispatch.models.orders import Order
from dispatch.rules.access.roles import Right
from tests.api.calling import Caller, caller
from tests.api.test_knowledge import post
from tests.conftest import Database
from tests.factories.world import make_world
from tests.house.complaint_deeds import taken

DESK = (Right.ORDERS_PLACE, Right.ORDERS_READ, Right.CALLERS_READ)
CENTRE = (*DESK, Right.ORDERS_SUPERVISE, Right.ORDERS_DECIDE, Right.FIRMS_EDIT)


@pytest.fixture
def town(committed: Database) -> tuple[str, Caller, Caller]:
    """An order that a firm has taken, the desk's key and the centre's."""
    with committed.session() as session:
        world = make_world(session)
        number = taken(session, world).number
        session.commit()
    district = world.district.id
    return number, caller(committed, district, *DESK), caller(committed, district, *CENTRE)


def only(who: Caller, path: str) -> dict[str, object]:
    """The one item of a list."""
    found = who.get(path).json
    assert found is not None
    (item,) = found["items"]
    assert isinstance(item, dict)
    return item


def test_a_complaint_is_raised_answered_and_decided_by_another_key(town: tuple[str, Caller, Caller]) -> None:
    number, desk, centre = town
    raised = {"kind": "no_show", "words": "等了一天没有来"}
    assert post(centre, f"/api/orders/{number}/complaints", raised).status_code == 200
    assert post(desk, f"/api/orders/{number}/complaints", raised).status_code == 409
    listed = only(centre, "/api/complaints")
    assert (listed["order_number"], listed["words"], listed["state"]) == (number, "等了一天没有来", "open")
    one = f"/api/complaints/{listed['id']}"
    decision = {"upheld": True, "consequence": "warning", "reason": "打过三次电话"}
    assert post(desk, f"{one}/answer", {"answer": "路上堵"}).status_code == 200
    assert post(desk, f"{one}/decision", decision).status_code == 403
    own = post(centre, f"{one}/decision", decision)
    assert own.status_code == 403
    assert "另一位" in own.text


def test_what_is_decided_is_listed_with_its_consequence(town: tuple[str, Caller, Caller]) -> None:
    number, desk, centre = town
    post(desk, f"/api/orders/{number}/complaints", {"kind": "quality", "words": "又堵了"})
    one = f"/api/complaints/{only(desk, f'/api/orders/{number}/complaints')['id']}"
    assert post(centre, f"{one}/decision", {"upheld": True, "reason": "看过"}).status_code == 409
    post(desk, f"{one}/answer", {"answer": "不是"})
    wrong = post(centre, f"{one}/decision", {"upheld": True, "refund_fen": 5, "reason": "看过"})
    assert (wrong.status_code, "refund_fen" in wrong.text) == (422, True)
    assert post(centre, f"{one}/decision", {"upheld": True, "reason": "看过"}).status_code == 200
    found = only(desk, f"/api/orders/{number}/complaints")
    assert (found["state"], found["decision"], found["consequence"]) == ("upheld", "看过", "none")
    assert centre.get("/api/complaints").json == {"items": []}


def test_of_a_confidential_order_no_word_leaves(committed: Database, town: tuple[str, Caller, Caller]) -> None:
    number, desk, centre = town
    post(desk, f"/api/orders/{number}/complaints", {"kind": "other", "words": "暗记"})
    with committed.session() as session:
        session.execute(update(Order).values(confidential=True))
        session.commit()
    for answer in (centre.get("/api/complaints"), desk.get(f"/api/orders/{number}/complaints")):
        assert answer.status_code == 200
        assert "暗记" not in answer.text
