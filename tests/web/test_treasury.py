"""Funds, wishes, holdings and openings from their forms; a donor's consent recorded by one and done by another."""

import re

import pytest
from sqlalchemy import select

from dispatch.models.funds import Consent, Earmark, Entry, Fund, Holding
from dispatch.rules.access.roles import Role
from tests.factories.funds import Treasury, give
from tests.web.orders.conftest import Desk, desk
from tests.web.test_funds import SCRIPT, page, treasury

__all__ = ["desk", "treasury"]


def test_the_books_are_taken_over_from_nothing(desk: Desk) -> None:
    accountant, centre = desk.client(Role.ACCOUNTANT), desk.client(Role.CENTRE)
    community = str(desk.world.community.id)
    assert "先设立基金、添加存放处" in page(accountant, "/funds/take-over")
    fund = {"community_id": community, "code": "love", "name": SCRIPT[:60], "owner": "own", "purposes": ["any"]}
    assert accountant.post("/funds/new", data=fund).status_code == 403
    for changes, field in (({"name": ""}, "name"), ({"purposes": []}, "purposes"), ({"owner": "x"}, "owner")):
        told = centre.post("/funds/new", data=fund | changes).get_data(as_text=True)
        assert f'id="{field}-error"' in told or f'"{field}-error"' in told
        assert 'value="love"' in told
    opened = centre.post("/funds/new", data=fund)
    assert 'id="code-error"' in centre.post("/funds/new", data=fund).get_data(as_text=True)
    wish = {"name": "给孤寡老人", "purposes": ["lone_elder"]}
    assert accountant.post(f"{opened.location}/wishes/new", data=wish).status_code == 303
    holding = {"community_id": community, "kind": "bank", "code": "main", "name": "基本户"}
    assert 'value="基本户"' in accountant.post("/funds/holdings/new", data=holding | {"kind": "stock"}).text
    assert accountant.post("/funds/holdings/new", data=holding).status_code == 303
    form = page(accountant, "/funds/take-over")
    names = re.findall(r'name="(counted\.[\d:]+)"', form)
    key = re.search(r'name="form_key" value="(\d+)"', form)
    assert (len(names), key is not None) == (2, True)
    with desk.site.database.session() as session:
        bank = session.scalars(select(Holding.id)).one()
    counted = {"form_key": key[1] if key else "", "holding_id": str(bank), "words": "两人清点"}
    assert 'id="counted-error"' in accountant.post("/funds/take-over", data=counted).text
    wrong = accountant.post("/funds/take-over", data=counted | {names[0]: "-1", names[1]: "3"}).text
    assert (f'id="{names[0]}-error"' in wrong, 'value="3"' in wrong) == (True, True)
    done, again = (
        accountant.post("/funds/take-over", data=counted | dict(zip(names, ("100", "23.45"), strict=True)))
        for _ in range(2)
    )
    assert (done.status_code, done.location) == (303, again.location)
    assert "123.45 元" in page(accountant, "/funds")
    with desk.site.database.session() as session:
        assert session.scalars(select(Entry.kind)).all() == ["opening"]
        assert session.scalars(select(Fund.name)).all() == [SCRIPT[:60]]
        assert session.scalars(select(Earmark.purposes)).all() == [["lone_elder"]]


def test_what_is_counted_above_the_amount_is_taken_over_when_another_approves(desk: Desk, treasury: Treasury) -> None:
    accountant, centre = desk.client(Role.ACCOUNTANT), desk.client(Role.CENTRE)
    counted = {"form_key": "78", "holding_id": str(treasury.till.id), f"counted.{treasury.general.id}": "1990"}
    more = counted | {f"counted.{treasury.overseas.id}": "10.01"}
    asked, twice = (accountant.post("/funds/take-over", data=more) for _ in range(2))
    assert ("/funds/spendings/" in asked.location, asked.location) == (True, twice.location)
    assert '<span class="number">1,990.00 元' in page(centre, asked.location)
    assert "2,000.01 元 的开账申请等待审批" in page(centre, "/alarms")
    assert accountant.post(f"{asked.location}/approve").status_code == 403
    assert centre.post(f"{asked.location}/approve").status_code == 303
    assert "2,000.01 元" in page(accountant, "/funds")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("given_by", {"given_by": " "}),
        ("evidence", {"evidence": ""}),
        ("given_on", {"given_on": ""}),
        ("given_on", {"given_on": "2999-01-01"}),
        ("amount", {"amount": "0"}),
        ("origin", {"origin": "0"}),
        ("target", {"target": "0"}),
    ],
)
def test_what_a_consent_lacks_is_named_at_its_field(
    desk: Desk, treasury: Treasury, field: str, changes: dict[str, str]
) -> None:
    refused = desk.client(Role.ACCOUNTANT).post("/funds/consents", data=consent(treasury) | changes)
    assert (refused.status_code, f'id="{field}-error"' in refused.text) == (422, True)
    assert 'value="收据背面"' in refused.text or field == "evidence"


def consent(treasury: Treasury) -> dict[str, str]:
    """Three yuan of the general fund for overseas Chinese's fund."""
    return {
        "origin": str(treasury.general.id),
        "target": str(treasury.overseas.id),
        "amount": "3",
        "given_on": "2026-01-02",
        "given_by": "陈桂花",
        "evidence": "收据背面",
    }


def test_a_wish_is_changed_by_another_than_who_recorded_the_consent(desk: Desk, treasury: Treasury) -> None:
    with desk.site.database.session() as session:
        give(session, treasury, 500)
        session.commit()
    accountant = desk.client(Role.ACCOUNTANT)
    recorded = accountant.post("/funds/consents", data=consent(treasury))
    shown = page(accountant, recorded.location)
    assert ("陈桂花" in shown, "登记的人不能自己变更" in shown) == (True, True)
    change = {"holding_id": str(treasury.till.id)}
    assert accountant.post(f"{recorded.location}/change", data=change).status_code == 403
    other = desk.client(Role.ACCOUNTANT)
    assert 'id="amount-error"' in other.post(f"{recorded.location}/change", data=change | {"amount": "3.01"}).text
    assert other.post(f"{recorded.location}/change", data=change).status_code == 303
    assert other.post(f"{recorded.location}/change", data=change).status_code == 409
    assert "已变更" in page(other, recorded.location)
    assert "没有等待变更的同意书" in page(other, "/funds/consents")
    with desk.site.database.session() as session:
        assert b"\xe9\x99\x88" not in session.scalars(select(Consent.given_by)).one()


def test_what_was_made_elsewhere_is_not_taken_back_here(desk: Desk, treasury: Treasury) -> None:
    with desk.site.database.session() as session:
        gift = give(session, treasury, 500, origin="market.gift", origin_id=7).id
        session.commit()
    client = desk.client(Role.ACCOUNTANT)
    assert "冲正这一笔" not in page(client, f"/funds/entries/{gift}")
    refused = client.post(f"/funds/entries/{gift}/reverse", data={"words": "写错"})
    assert (refused.status_code, "在别处登记" in refused.text) == (409, True)
