"""Vouchers over HTTP: asked by a key, granted by a person, redeemed by a firm's own system; two doors at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import requests

from dispatch import clock
from dispatch.commands.verify import check
from dispatch.gateways.limits import limiter
from dispatch.rules.access.roles import SYSTEM, Right
from dispatch.services import funds, orders
from dispatch.services.access import keys
from dispatch.services.care import vouchers
from tests.api.calling import Caller, caller
from tests.api.test_rounds import post
from tests.conftest import Database, the_app
from tests.factories.vouchers import Purses, code_of, grant, make_purses
from tests.web.conftest import Site, site
from tests.web.phone_world import offer

__all__ = ["site"]
STAFF = (Right.VOUCHERS_READ, Right.VOUCHERS_GRANT, Right.VOUCHERS_APPROVE, Right.FUNDS_BOOK)


@pytest.fixture(autouse=True)
def fresh_limits(committed: Database) -> Iterator[None]:
    """Nobody has guessed before this test, nor do its guesses count in the next one."""
    assert committed.url
    with the_app().app_context():
        limiter.reset()
    yield
    with the_app().app_context():
        limiter.reset()


@dataclass(frozen=True, slots=True)
class Here:
    """Persons with money in the fund, the staff's system and a firm's own."""

    database: Database
    purses: Purses
    staff: Caller
    firm: Caller


@pytest.fixture
def here(committed: Database) -> Here:
    """Two persons, nothing granted yet."""
    with committed.session() as session:
        purses = make_purses(session, people=2)
        session.commit()
    staff = caller(committed, purses.world.district.id, *STAFF)
    return Here(committed, purses, staff, firm_key(committed, purses, 0))


def firm_key(database: Database, purses: Purses, number: int) -> Caller:
    """A key of a firm."""
    with database.session() as session:
        _, key = keys.create_key(
            session,
            name="服务商系统",
            organisation_id=purses.world.district.id,
            scopes={Right.VOUCHERS_REDEEM},
            performer_id=purses.world.firms[number].id,
            actor=SYSTEM,
            now=clock.now(session),
        )
        session.commit()
    return Caller(the_app().test_client(), key)


def delete(who: Caller, path: str) -> int:
    """How a DELETE is answered."""
    return who.client.delete(f"/api{path}", json={}, headers={"Authorization": f"Bearer {who.key}"}).status_code


def granted(here: Here) -> dict[str, Any]:
    """The first account of a list that a key asked for and a person granted; its card."""
    with here.database.session() as session:
        today = clock.today(clock.now(session))
    body = {"year": today.year, "fund_id": here.purses.treasury.general.id, "holding_id": here.purses.treasury.bank.id}
    body |= {"fen": 50_000, "expires_on": (today + timedelta(days=90)).isoformat()}
    body |= {"residents": [one.id for one in here.purses.elders]}
    gone = post(here.staff, "/voucher-grants", body)
    assert post(here.firm, "/voucher-grants", body).status_code == 403
    assert delete(here.staff, f"/voucher-grants/{(gone.json or {})['id']}") == 200
    asked, again = (post(here.staff, "/voucher-grants", body, "k") for _ in range(2))
    assert (asked.status_code, asked.json, (asked.json or {})["people"]) == (201, again.json, 2)
    with here.database.session() as session:
        grant_id = (asked.json or {})["id"]
        vouchers.approve_grant(session, grant_id, actor=here.purses.centre, now=clock.now(session))
        session.commit()
    assert delete(here.staff, f"/voucher-grants/{grant_id}") == 409
    return here.staff.get("/api/vouchers").json["items"][0]


def test_a_voucher_is_asked_by_a_key_used_by_a_firm_s_system_taken_back_and_settled(here: Here) -> None:
    voucher = granted(here)
    path = f"/vouchers/{voucher['id']}"
    lost = post(here.staff, f"{path}/cards", {}).json or {}
    card = post(here.staff, f"/voucher-cards/{lost['id']}/replacement", {}).json or {}
    assert post(here.firm, "/voucher-cards/look-up", {"code": lost["code"]}).json["code"] == "card_over"
    assert (post(here.firm, "/voucher-cards/look-up", {"code": card["qr"]}).json or {})["left_fen"] == 50_000
    taking = {"code": card["code"], "fen": 12_000, "what": "理发"}
    first, again = (post(here.firm, "/voucher-redemptions", taking, "once") for _ in range(2))
    assert (first.status_code, first.json) == (201, again.json)
    second = post(here.firm, "/voucher-redemptions", taking | {"fen": 8_000}, "twice").json or {}
    too_much = post(here.firm, "/voucher-redemptions", taking | {"fen": 30_001})
    assert (too_much.status_code, too_much.json["code"], too_much.json["errors"][0]["field"]) == (
        422,
        "not_left",
        "fen",
    )
    assert post(here.staff, "/voucher-redemptions", taking).status_code == 403
    assert [one["fen"] for one in here.firm.get("/api/voucher-redemptions").json["items"]] == [8_000, 12_000]
    assert post(here.staff, f"{path}/freezing", {}).json["state"] == "frozen"
    assert post(here.firm, "/voucher-redemptions", taking).json["code"] == "voucher_frozen"
    assert post(here.staff, f"{path}/thawing", {}).json["state"] == "open"
    request = post(here.staff, f"/voucher-redemptions/{second['id']}/refund-request", {"words": "没有做"})
    assert (request.status_code, request.json["state"]) == (201, "asked")
    assert delete(here.staff, f"/voucher-refunds/{request.json['id']}") == 200
    asked = post(here.staff, f"/voucher-redemptions/{second['id']}/refund-request", {"words": "没有做"}).json or {}
    with here.database.session() as session:
        vouchers.approve_refund(session, asked["id"], actor=here.purses.centre, now=clock.now(session))
        session.commit()
    whole = here.staff.get(f"/api{path}").json
    assert [one["left_fen"] for one in whole["statement"]] == [50_000, 38_000, 30_000, 38_000]
    assert "陈**" in whole["name"]
    settle(here)


def settle(here: Here) -> None:
    """The month is over: what is owed becomes a spending that a person approves."""
    with here.database.session() as session:
        month, community = f"{clock.today(clock.now(session)):%Y-%m}", here.purses.world.community.id
    query = {"community_id": community, "month": month}
    assert [one["fen"] for one in here.staff.get("/api/voucher-dues", **query).json["items"]] == [12_000]
    assert post(here.staff, "/voucher-settlements", query).json["errors"][0]["field"] == "month"
    with here.database.session() as session:
        later = clock.now(session) + timedelta(days=32)
        (made,) = vouchers.settle_month(session, community, month, actor=here.purses.welfare, now=later)
        funds.approve_spending(session, made.spending_id, actor=here.purses.centre, now=clock.now(session))
        session.commit()
    (row,) = here.staff.get("/api/voucher-settlements").json["items"]
    assert (row["fen"], row["payment"]) == (12_000, "booked")
    whole = here.staff.get(f"/api/voucher-settlements/{row['id']}").json
    assert [one["fen"] for one in whole["redemptions"]] == [12_000]
    assert check(here.database.engine) == []


def test_a_firm_guesses_ten_codes_an_hour_however_they_are_written(here: Here) -> None:
    wrong = ("0" * 26, "o" * 26, "HQV/" + "O" * 26, "00000-" * 5 + "0", " 0" * 26)
    bodies = [{"code": wrong[number % 5], "fen": 1, "what": "x"} for number in range(12)]
    answers = [post(here.firm, "/voucher-redemptions", body).status_code for body in bodies]
    assert answers == [422] * 10 + [429] * 2
    assert (
        post(firm_key(here.database, here.purses, 0), "/voucher-cards/look-up", {"code": wrong[0]}).status_code == 429
    )
    assert (
        post(firm_key(here.database, here.purses, 1), "/voucher-cards/look-up", {"code": wrong[0]}).status_code == 422
    )


def test_at_two_doors_at_once_nothing_is_taken_below_zero_and_a_repeat_takes_nothing(site: Site) -> None:
    offered = offer(site.database)
    with site.database.session() as session:
        now = clock.now(session)
        orders.accept(session, offered.token, now=now)
        orders.arrive(session, offered.token, now=now, how="resident")
        purses = make_purses(session, offered.world, people=1)
        (voucher,) = grant(session, purses)
        code = code_of(session, purses, voucher)
        session.commit()
    machine = firm_key(site.database, purses, 1)
    door, link = f"{site.url}/api/voucher-redemptions", f"{site.url}/w/{offered.token}/redeem"
    taking = {"code": code, "fen": 12_000, "what": "疏通"}
    asked: list[tuple[str, dict[str, Any]]] = []
    for number in range(8):
        headers = {"Authorization": f"Bearer {machine.key}", "Idempotency-Key": f"k{number // 2}"}
        asked.append((door, {"json": taking, "headers": headers}))
    phone = {"code": code, "yuan": "120", "what": "疏通", "key": "one-press"}
    asked += [(link, {"data": phone, "headers": {"Accept": "application/json"}})] * 2
    barrier = Barrier(len(asked))

    def ask(one: tuple[str, dict[str, Any]]) -> int:
        barrier.wait()
        return requests.post(one[0], timeout=30, **one[1]).status_code

    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(ask, asked))
    assert set(answers) <= {200, 201, 409, 422, 503}, answers
    again = [requests.post(one[0], timeout=30, **one[1]).status_code for one in asked]
    assert len([one for one in again if one < 400]) == 8, (answers, again)
    with site.database.session() as session:
        rows = vouchers.redemptions_of_voucher(session, voucher.id, actor=purses.centre)
        assert [row.redemption.fen for row in rows] == [12_000] * 4
    assert check(site.database.engine) == []
