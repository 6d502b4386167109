"""Rounds and shipments over HTTP: a household to its signature, a shipment to its reconciliation."""

from base64 import b64encode
from typing import Any

from werkzeug.test import TestResponse

from dispatch import clock
from dispatch.rules.access.roles import Right
from tests.api.calling import Caller, caller
from tests.conftest import Database
from tests.factories.market import signature, take_in
from tests.services.market.test_rounds import make_year
from tests.statements import statements

DRAWN = {"signature": b64encode(signature()).decode()}
RIGHTS = (Right.CAMPAIGNS_READ, Right.CAMPAIGNS_RUN)


def post(who: Caller, path: str, body: dict[str, Any], key: str | None = None) -> TestResponse:
    """A POST with a JSON body."""
    headers = {"Authorization": f"Bearer {who.key}"} | ({"Idempotency-Key": key} if key else {})
    return who.client.post(f"/api{path}", json=body, headers=headers)


def test_a_round_goes_from_its_plan_to_its_end(committed: Database) -> None:
    with committed.session() as session:
        year = make_year(session)
        session.commit()
    worker = caller(committed, year.shop.world.district.id, *RIGHTS)
    bill = [{"goods_id": year.shop.rice.id, "amount": 5_000}]
    plan = {"year": 2026, "name": "端午", "facility_id": year.shop.facility.id, "bill": bill}
    first, again = (post(worker, "/rounds", plan, "k") for _ in range(2))
    assert (first.status_code, first.json) == (201, again.json)
    path = f"/rounds/{(first.json or {})['id']}"
    for one in year.residents[:2]:
        assert post(worker, f"{path}/entries", {"resident_id": one.id}).status_code == 201
    assert post(worker, f"{path}/entries", {"resident_id": year.residents[0].id}).status_code == 409
    frozen = post(worker, f"{path}/freezing", {})
    entries = (frozen.json or {})["entries"]
    assert [one["state"] for one in entries] == ["listed", "listed"]
    home, gone = (f"/round-entries/{one['id']}" for one in entries)
    assert post(worker, f"{home}/signature", {"signer": "陈婆婆"} | DRAWN).status_code == 409
    sent = post(worker, f"{home}/delivery", {})
    assert (sent.json or {})["entries"][0]["order_number"].startswith("HQ")
    for none in ({}, {"signature": "?" * 4}, {"paper": "AAAA"}):
        assert post(worker, f"{home}/signature", {"signer": "陈婆婆"} | none).status_code == 422
    assert post(worker, f"{home}/signature", {"signer": "陈婆婆"} | DRAWN).status_code == 200
    assert post(worker, f"{path}/closing", {}).status_code == 409
    assert post(worker, f"{gone}/excuse", {"reason": "已搬走"}).status_code == 200
    closed = post(worker, f"{path}/closing", {}).json or {}
    assert (closed["state"], closed["delivered"], closed["excused"], closed["listed"]) == ("closed", 1, 1, 2)


def test_a_shipment_goes_to_a_town_and_back_to_the_books(committed: Database) -> None:
    with committed.session() as session:
        year = make_year(session)
        take_in(session, year.shop, year.shop.coat, 60)
        today = clock.today(clock.now(session)).isoformat()
        session.commit()
    worker = caller(committed, year.shop.world.district.id, *RIGHTS)
    place = {"city": "丽水市", "county": "莲都区", "town": "碧湖镇", "receiver": "镇政府", "persons": 180}
    coat = year.shop.coat.id
    lines = [{"goods_id": coat, "amount": 60}]
    plan = place | {"facility_id": year.shop.facility.id, "sends_on": today, "consumed_by": today, "lines": lines}
    assert post(worker, "/shipments", plan | {"town": ""}).status_code == 422
    made = post(worker, "/shipments", plan)
    path = f"/shipments/{(made.json or {})['id']}"
    assert post(worker, f"{path}/sending", {}).status_code == 200
    assert post(worker, f"{path}/sending", {}).status_code == 409
    signed = {"signer": "王主任", "lines": [{"goods_id": coat, "received": 58}]}
    too_much = {"signer": "王主任", "lines": [{"goods_id": coat, "received": 61}]}
    assert post(worker, f"{path}/signature", too_much).status_code == 422
    assert post(worker, f"{path}/signature", signed).status_code == 422
    assert post(worker, f"{path}/signature", signed | DRAWN).status_code == 200
    assert post(worker, f"{path}/reconciliation", {}).status_code == 422
    told = {"reasons": [{"goods_id": coat, "reason": "路上淋湿"}]}
    assert (post(worker, f"{path}/reconciliation", told).json or {})["state"] == "reconciled"
    with statements(committed.engine) as seen:
        assert len((worker.get("/api/shipments").json or {})["items"]) == 1
    before = len(seen)
    assert post(worker, "/shipments", plan).status_code == 201
    with statements(committed.engine) as seen:
        assert len((worker.get("/api/shipments").json or {})["items"]) == 2
    assert len(seen) == before
