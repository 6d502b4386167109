"""The funds over HTTP: booked once per key, paged and filtered, asked where one may not alone; no ground is told."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from dispatch import clock
from dispatch.models.access import AuditEntry
from dispatch.rules.access.roles import Right
from dispatch.rules.funds.terms import Commodity, EntryKind, Purpose
from dispatch.services import funds
from tests.api.calling import Caller, caller
from tests.conftest import Database
from tests.factories.funds import Treasury, give, make_treasury, put
from tests.factories.world import make_world
from tests.services.funds.test_bank import month_of, person
from tests.statements import statements

RIGHTS = (Right.FUNDS_READ, Right.FUNDS_BOOK, Right.FUNDS_APPROVE)


@dataclass(frozen=True, slots=True)
class Scene:
    """A committed treasury, who keeps its books by a key, who only reads, and a stranger."""

    database: Database
    treasury: Treasury
    keeper: Caller
    reader: Caller
    stranger: Caller

    def post(self, path: str, body: dict[str, Any], key: str | None = None) -> TestResponse:
        """POST as the keeper."""
        headers = {"Authorization": f"Bearer {self.keeper.key}"} | ({"Idempotency-Key": key} if key else {})
        return self.keeper.client.post(f"/api{path}", json=body, headers=headers)

    def money(self, kind: str, fen: int, **changes: Any) -> dict[str, Any]:
        """A body of the general fund at the till."""
        plain = {"kind": kind, "fund_id": self.treasury.general.id, "holding_id": self.treasury.till.id}
        return plain | {"amount_fen": fen} | changes


@pytest.fixture
def scene(committed: Database) -> Scene:
    """Two worlds; the first has its funds."""
    with committed.session() as session:
        world, other = make_world(session), make_world(session)
        treasury = make_treasury(session, world.community.id)
        session.commit()
    at = world.district.id
    return Scene(
        committed,
        treasury,
        caller(committed, at, *RIGHTS),
        caller(committed, at, Right.FUNDS_READ),
        caller(committed, other.district.id, *RIGHTS),
    )


def items(caller: Caller, path: str, **query: Any) -> list[dict[str, Any]]:
    """What a list holds."""
    answer = caller.get(f"/api{path}", **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = (answer.json or {})["items"]
    return found


def test_a_fund_its_wish_and_its_money_from_the_first_day_to_a_reversal(scene: Scene) -> None:
    treasury = scene.treasury
    about = {"community_id": scene.treasury.community_id, "code": "flood", "name": "救灾基金"}
    opened = scene.post("/funds", about | {"purposes": ["relief", "running"]}, "k1")
    again = scene.post("/funds", about | {"purposes": ["relief", "running"]}, "k1")
    assert (opened.status_code, opened.json) == (201, again.json)
    assert scene.post("/funds", about | {"purposes": ["relief"]}).status_code == 409
    fund_id = (opened.json or {})["id"]
    wish = scene.post(f"/funds/{fund_id}/wishes", {"name": "给灾区", "purposes": ["relief"]}).json or {}
    till = scene.post("/holdings", {"community_id": about["community_id"], "kind": "till", "code": "t2", "name": "箱"})
    place = {"fund_id": fund_id, "earmark_id": wish["id"], "holding_id": (till.json or {})["id"]}
    gift = scene.post("/journal", scene.money("gift", 5_000, **place), "k2")
    assert gift.json == scene.post("/journal", scene.money("gift", 5_000, **place), "k2").json
    path = gift.headers["Location"].removeprefix("/api")
    receipt = scene.post(f"{path}/receipt", {"received_from": "陈桂花"})
    assert "陈桂花" not in receipt.text
    for body, field in ((scene.money("spend", 100, **place, purpose="running"), "purpose"),
                        (scene.money("spend", 5_001, **place, purpose="relief"), "amount")):  # fmt: skip
        refused = scene.post("/journal", body)
        assert (refused.status_code, field in refused.text) == (422, True)
    alone = scene.post(f"{path}/reversal", {"words": "重复登记"})
    assert (alone.status_code, "冲正申请" in alone.text) == (409, True)
    asked = scene.post(f"{path}/reversal-request", {"words": "重复登记"})
    assert (asked.status_code, (asked.json or {})["reverses_id"]) == (201, int(path.rpartition("/")[2]))
    with scene.database.session() as session:
        funds.approve_spending(
            session, (asked.json or {})["id"], actor=person(session, treasury, "centre9"), now=clock.now(session)
        )
        session.commit()
    assert scene.post(f"{path}/reversal-request", {"words": "重复登记"}).status_code == 409
    shown = scene.reader.get(f"/api{path}").json or {}
    assert (shown["reversed_by"] is not None, shown["receipts"][0]["void_reason"]) == (True, "这一笔已冲正")
    assert [one["amount"] for one in items(scene.reader, f"/funds/{fund_id}/balances")] == [0, 0]
    with scene.database.session() as session:
        told = set(session.scalars(select(AuditEntry.action)))
    assert {"funds.open_fund", "funds.add_earmark", "funds.add_holding", "funds.post", "funds.issue_receipt"} <= told


def test_the_journal_is_paged_and_filtered_and_asks_no_more_with_more_rows(scene: Scene) -> None:
    treasury = scene.treasury
    with scene.database.session() as session:
        for _ in range(7):
            give(session, treasury, 1)
        abroad = [give(session, treasury, 1, fund=treasury.overseas).id for _ in range(3)]
        one = put(session, treasury, EntryKind.GIFT, 1, {"origin": "funds.test", "origin_id": 9})
        session.commit()
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = scene.reader.get("/api/journal", limit=4, **cursor).json or {}
        seen += [row["id"] for row in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert (len(seen), seen) == (11, sorted(seen, reverse=True))
    fund = {"fund_id": treasury.overseas.id}
    assert [row["id"] for row in items(scene.reader, "/journal", **fund)] == abroad[::-1]
    assert [row["id"] for row in items(scene.reader, "/journal", origin="funds.test", origin_id=9)] == [one.id]
    day, before = one.posted_on.isoformat(), (one.posted_on - timedelta(days=1)).isoformat()
    assert len(items(scene.reader, "/journal", first=day, last=day, **fund)) == 3
    assert items(scene.reader, "/journal", last=before) == []
    assert (items(scene.stranger, "/journal"), items(scene.stranger, "/funds")) == ([], [])
    assert scene.stranger.get("/api/journal", **fund).status_code == 404
    counts = []
    for limit in (1, 11):
        with statements(scene.database.engine) as sent:
            items(scene.reader, "/journal", first=day, limit=limit, **fund)
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_what_was_handed_to_a_person_says_no_ground(scene: Scene) -> None:
    with scene.database.session() as session:
        goods = {"commodity": Commodity.PIECE, "holding": scene.treasury.way}
        put(session, scene.treasury, EntryKind.GIFT, 5, dict(goods))
        for kind, purpose in ((EntryKind.HAND_OUT, Purpose.LONE_ELDER), (EntryKind.PARCEL, Purpose.YEARLY_ROUND)):
            put(session, scene.treasury, kind, -1, goods | {"purpose": purpose})
        session.commit()
    rows = items(scene.reader, "/journal")
    assert [row["purpose"] for row in rows] == ["yearly_round", "aid", None]
    whole = scene.reader.get(f"/api/journal/{rows[1]['id']}")
    assert ((whole.json or {})["purpose"], "lone_elder" in whole.text) == ("aid", False)


def test_spending_above_the_amount_is_asked_and_no_key_approves_it(scene: Scene) -> None:
    scene.post("/journal", scene.money("gift", 500_000))
    body = scene.money("spend", 200_001, purpose="running")
    assert scene.post("/journal", body).status_code == 409
    asked = scene.post("/spendings", body, "k1")
    assert (asked.status_code, (asked.json or {})["state"]) == (201, "asked")
    assert scene.post("/spendings", scene.money("gift", 5)).status_code == 422
    assert [row["id"] for row in items(scene.reader, "/spendings")] == [(asked.json or {})["id"]]
    headers = {"Authorization": f"Bearer {scene.stranger.key}"}
    assert scene.keeper.client.delete(asked.headers["Location"], headers=headers).status_code == 404
    headers = {"Authorization": f"Bearer {scene.keeper.key}"}
    gone = scene.keeper.client.delete(asked.headers["Location"], headers=headers)
    assert (gone.json or {})["state"] == "withdrawn"
    assert len(items(scene.reader, "/journal")) == 1


def test_a_month_of_the_bank_is_read_matched_and_undone(scene: Scene) -> None:
    bank = {"holding_id": scene.treasury.bank.id}
    with scene.database.session() as session:
        month = month_of(session).isoformat()
    entries = [scene.post("/journal", scene.money("gift", fen, **bank, happened_on=month)) for fen in (300, 200)]
    csv = f"日期,金额\n{month},5.00"
    body = bank | {"month": month, "opening_fen": 0, "closing_fen": 500, "csv": csv}
    read = scene.post("/bank-statements", body).json or {}
    assert (read["unmatched"], read["unexplained_fen"]) == (3, 0)
    line = f"/bank-lines/{read['lines'][0]['id']}"
    chosen = {"entry_ids": [(one.json or {})["id"] for one in entries]}
    assert scene.post(f"{line}/entries", {"entry_ids": chosen["entry_ids"][:1]}).status_code == 422
    assert (scene.post(f"{line}/entries", chosen).json or {})["unmatched"] == 0
    assert scene.post(f"{line}/entries", chosen).status_code == 409
    assert (scene.post(f"{line}/undoing", {"reason": "不是"}).json or {})["unmatched"] == 3
    assert [row["id"] for row in items(scene.reader, "/bank-statements")] == [read["id"]]


def test_a_wish_is_changed_with_consent_and_one_machine_is_no_second_person(scene: Scene) -> None:
    scene.post("/journal", scene.money("gift", 500))
    wish = scene.post(f"/funds/{scene.treasury.general.id}/wishes", {"name": "救灾", "purposes": ["relief"]}).json or {}
    origin = {"fund_id": scene.treasury.general.id}
    body = {"community_id": scene.treasury.community_id, "origin": origin, "amount": 300, "evidence": "收据背面"}
    body |= {"target": origin | {"earmark_id": wish["id"]}, "given_by": "陈桂花", "given_on": "2026-01-02"}
    made = scene.post("/consents", body)
    assert (made.status_code, "陈桂花" in made.text) == (201, False)
    path = f"/consents/{(made.json or {})['id']}/change"
    assert scene.post(path, {"holding_id": scene.treasury.till.id}).status_code == 403
    assert [row["amount"] for row in items(scene.reader, "/consents")] == [300]


def test_ids_in_an_address_are_read_as_they_are_written_there(scene: Scene) -> None:
    key = caller(scene.database, scene.treasury.community_id, Right.MARKET_READ, Right.BENEFICIARIES_READ)
    assert key.get("/api/hand-outs", facility_id=1).status_code == 404
    assert items(key, "/beneficiaries", after=1) == []
