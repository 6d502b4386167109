"""Webhooks that come in: believed by signature and time, taken once, each refusal by its own name."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from dispatch.models.catalogue import Performer
from dispatch.models.notify import WebhookReceipt
from dispatch.models.orders import Offer, Order
from dispatch.rules.access.roles import NOTHING, Role
from dispatch.rules.notify.signature import sign
from dispatch.services import orders
from dispatch.services.access import vault
from dispatch.transaction import scope_of_request
from tests.conftest import Database, the_app
from tests.factories.world import make_world, staff

MESSAGES = count(1)


@dataclass(slots=True)
class Firm:
    """A firm's own system that speaks to the API about the one order that is offered to it."""

    client: FlaskClient
    database: Database
    code: str
    secret: str
    number: str

    def say(self, action: str, **fields: Any) -> TestResponse:
        """Say something, signed now, under a new message id unless one is given."""
        content = {
            "message_id": f"m{next(MESSAGES)}",
            "order_number": self.number,
            "round": 1,
            "action": action,
        }
        return self.post(json.dumps(content | fields).encode())

    def post(self, body: bytes, *, seconds: int | None = None, header: str | None = None) -> TestResponse:
        """Post a body, signed as of `seconds` (now) unless a header is given."""
        moment = int(time.time()) if seconds is None else seconds
        signature = sign(self.secret, moment, body) if header is None else header
        return self.client.post(
            f"/api/webhooks/{self.code}",
            data=body,
            content_type="application/json",
            headers={"X-Dispatch-Signature": signature},
        )

    def order(self) -> Order:
        """The order as it stands."""
        with self.database.session() as session:
            return session.scalars(select(Order).where(Order.number == self.number)).one()

    def receipts(self) -> int:
        """How many messages were taken."""
        with self.database.session() as session:
            return len(session.scalars(select(WebhookReceipt.id)).all())


@pytest.fixture
def firms(committed: Database) -> Iterator[list[Firm]]:
    """Two firms: an order is offered to the first."""
    with committed.session() as session:
        world = make_world(session, firms=2)
        now = datetime.now(UTC)
        for firm in world.firms:
            firm.webhook_secret = vault.seal(f"performers.webhook_secret.{firm.uid}", f"secret of {firm.code}")
        draft = orders.OrderDraft(
            description="厨房下水道堵了", service_code="drain_clearing", stairwell_id=world.stairwells[0].id
        )
        order = orders.place(session, draft, actor=staff(session, world, Role.OPERATOR), now=now)
        orders.route(session, order.id, now=now)
        offered = {recipient.performer_id for _, recipient, _ in orders.offers_of(session, order)}
        codes = [firm.code for firm in sorted(world.firms, key=lambda one: one.id not in offered)]
        session.commit()
    client = the_app().test_client()
    yield [Firm(client, committed, code, f"secret of {code}", order.number) for code in codes]
    scope_of_request.set(NOTHING)


@pytest.fixture
def firm(firms: list[Firm]) -> Firm:
    """The firm that the order is offered to."""
    return firms[0]


def test_a_firm_accepts_sets_out_arrives_and_finishes_by_its_own_system(firm: Firm) -> None:
    states = [firm.say(action).json["state"] for action in ("accept", "set_out", "arrive")]
    assert states == ["accepted", "accepted", "arrived"]
    done = firm.say("finish", result="done", cost_fen=8_000, note="疏通了")
    assert (done.status_code, done.json) == (
        200,
        {"order_number": firm.number, "state": "finished", "replayed": False},
    )
    assert (firm.order().result, firm.order().cost_fen) == ("done", 8_000)


def test_a_firm_declines_with_a_reason(firm: Firm) -> None:
    assert firm.say("decline", reason="今天没人").status_code == 200
    assert firm.say("accept").status_code == 409


def test_a_replayed_message_is_harmless(firm: Firm) -> None:
    first = firm.say("accept", message_id="m-accept")
    again = firm.say("accept", message_id="m-accept")
    assert (first.json["replayed"], again.json["replayed"]) == (False, True)
    assert again.json["state"] == "accepted"
    assert firm.receipts() == 1


def test_a_second_accept_under_a_new_name_is_a_conflict_and_leaves_nothing(firm: Firm) -> None:
    firm.say("accept")
    version = firm.order().version
    refused = firm.say("accept")
    assert (refused.status_code, refused.json["code"]) == (409, "already_accepted")
    assert (firm.order().version, firm.receipts()) == (version, 1)


def test_an_accept_after_the_hold_time_is_refused_by_its_name(firm: Firm) -> None:
    with firm.database.session() as session:
        session.execute(update(Offer).values(hold_until=datetime.now(UTC) - timedelta(seconds=1)))
        session.commit()
    refused = firm.say("accept")
    assert (refused.status_code, refused.json["code"]) == (409, "offer_lapsed")


def test_another_firm_cannot_touch_the_order_with_its_own_good_signature(firms: list[Firm]) -> None:
    refused = firms[1].say("accept")
    assert refused.status_code == 404
    assert firms[0].order().performer_id is None


def test_a_firm_cannot_speak_under_anothers_code(firms: list[Firm]) -> None:
    intruder = firms[1]
    intruder.code = firms[0].code
    refused = intruder.say("accept")
    assert (refused.status_code, refused.json["detail"]) == (401, "签名不对")
    assert "WWW-Authenticate" in refused.headers


def test_an_unknown_code_and_a_stopped_firm_are_wrong_signatures(firm: Firm) -> None:
    with firm.database.session() as session:
        session.execute(update(Performer).values(is_active=False))
        session.commit()
    assert firm.say("accept").status_code == 401
    firm.code = "nobody"
    assert firm.say("accept").json["detail"] == "签名不对"


@pytest.mark.parametrize("header", ["", "t=1", "v1=abc", "t=x,v1=y", "x" * 600])
def test_a_missing_or_malformed_signature_says_so(firm: Firm, header: str) -> None:
    refused = firm.post(b"{}", header=header)
    assert refused.status_code == 401
    assert "缺少签名" in refused.json["detail"]


@pytest.mark.parametrize("shift", [-301, 302])
def test_a_good_signature_of_another_time_says_so(firm: Firm, shift: int) -> None:
    refused = firm.post(b"{}", seconds=int(time.time()) + shift)
    assert refused.status_code == 401
    assert "5 分钟" in refused.json["detail"]


@pytest.mark.parametrize(
    ("action", "fields", "wrong"),
    [
        ("explode", {}, "action"),
        ("decline", {}, "reason"),
        ("finish", {}, "result"),
        ("finish", {"result": "done", "cost_fen": -1}, "cost_fen"),
        ("accept", {"round": 0}, "round"),
        ("accept", {"round": "1"}, "round"),
        ("accept", {"message_id": ""}, "message_id"),
        ("accept", {"note": "a\x00b"}, "note"),
        ("accept", {"performer_id": 7}, "performer_id"),
    ],
)
def test_a_wrong_field_is_named_and_changes_nothing(
    firm: Firm, action: str, fields: dict[str, Any], wrong: str
) -> None:
    refused = firm.say(action, **fields)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json["errors"]] == [wrong]
    assert firm.receipts() == 0


def test_a_body_that_is_no_json_is_refused(firm: Firm) -> None:
    assert firm.post(b"{not json").status_code in {400, 422}


def test_an_unknown_order_or_round_is_not_found(firm: Firm) -> None:
    assert firm.say("accept", round=2).status_code == 404
    assert firm.say("accept", order_number="HQ-unknown").status_code == 404
    assert firm.receipts() == 0


def test_a_body_beyond_256_kilobytes_is_refused(firm: Firm) -> None:
    assert firm.post(b"x" * (256 * 1024 + 1)).status_code == 413
