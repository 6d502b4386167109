"""The keeper's pages: goods in, a round ticked, blind counts, two signatures, recalls; what is refused stands there."""

from base64 import b64encode

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from dispatch import clock
from dispatch.models.market import Count, Disposal, Facility, Goods, Inspection, Lot, StockMove
from dispatch.rules.access.roles import Actor, Role
from dispatch.rules.market.keeping import Finding
from dispatch.rules.market.shelf import Spot
from dispatch.services import market
from dispatch.services.access import sessions, vault
from tests.factories.market import ONE, Shop, hand_out, left, make_shop, milk_of, signature
from tests.statements import statements
from tests.web.orders.conftest import Desk, desk

__all__ = ["desk"]
SIGNED = f"data:image/png;base64,{b64encode(signature()).decode()}"


@pytest.fixture
def shop(desk: Desk) -> Shop:
    """A supermarket of the desk's community."""
    with desk.site.database.session() as session:
        made = make_shop(session, desk.world)
        session.commit()
        return made


def client_of(desk: Desk, actor: Actor) -> FlaskClient:
    """Somebody of the supermarket, logged in."""
    with desk.site.database.session() as session:
        token = sessions.open_session(session, actor.user_id or 0, is_complete=True, now=clock.now(session))
        session.commit()
    client = desk.site.app.test_client()
    client.set_cookie("session", token)
    client.environ_base["HTTP_X_CSRF_TOKEN"] = vault.sign("csrf", token.encode()).hex()
    return client


def with_milk(desk: Desk, shop: Shop, ends_in: int = 5) -> Lot:
    """Five boxes of milk, committed."""
    with desk.site.database.session() as session:
        lot = milk_of(session, shop, 5, ends_in, batch_number="B1")
        session.commit()
        return lot


def standing(desk: Desk, lot: Lot) -> dict[str, int]:
    """What stands of a lot."""
    with desk.site.database.session() as session:
        return left(session, lot)


def test_the_keeper_takes_in_weighed_goods_and_the_page_says_how_long_they_are_good(desk: Desk, shop: Shop) -> None:
    keeper, page = client_of(desk, shop.keeper), f"/stock/{shop.facility.id}"
    form = {"goods_id": str(shop.rice.id), "purse": f"{shop.general.id}-{shop.wish.id}", "entry": "gift"}
    form |= {"amount": "12.5", "expires_on": (shop.today + 3 * ONE).isoformat()}
    assert keeper.post(f"{page}/receive", data=form).status_code == 303
    shown = keeper.get(page).get_data(as_text=True)
    assert "12.5 斤" in shown
    assert "还剩 3 天" in shown
    assert "入库检查" in shown
    for field, wrong in (
        ("amount", "半斤"), ("amount", "0.001"), ("amount", "1e-99999999"), ("produced_on", "2099-01-01"),
        ("purse", "x"), ("purse", "²"), ("purse", "9" * 5000),
    ):  # fmt: skip
        refused = keeper.post(f"{page}/receive", data=form | {field: wrong})
        assert (refused.status_code, f'id="{field}-error"' in refused.get_data(as_text=True)) == (422, True), field


def test_whoever_is_not_the_keeper_is_told_so(desk: Desk, shop: Shop) -> None:
    other = client_of(desk, shop.counters[0])
    form = {"goods_id": str(shop.coat.id), "purse": str(shop.general.id), "entry": "gift", "amount": "1"}
    refused = other.post(f"/stock/{shop.facility.id}/receive", data=form)
    assert refused.status_code == 403
    assert "只有这里的保管员可以这样做" in refused.get_data(as_text=True)


def test_numbers_that_are_none_are_refused_at_the_counter(desk: Desk, shop: Shop) -> None:
    keeper, form = client_of(desk, shop.keeper), {"facility_id": str(shop.facility.id), "card": "x"}
    for field, wrong in (("goods.²", "1"), (f"goods.{'9' * 5000}", "1"), ("seen", "9" * 5000)):
        assert keeper.post("/counter/card", data=form | {field: wrong}).status_code == 422


def test_a_round_is_ticked_lot_by_lot_and_never_better_than_the_dates(desk: Desk, shop: Shop) -> None:
    lot, keeper = with_milk(desk, shop, ends_in=30), client_of(desk, shop.keeper)
    with desk.site.database.session() as session:
        (number,) = session.query(Inspection.id).one()
    page = f"/stock/rounds/{number}"
    assert "还有 1 处，已查 0 处" in keeper.get(page).get_data(as_text=True)
    tick = {"lot_id": str(lot.id), "spot": "store"}
    assert keeper.post(f"{page}/ticks", data=tick | {"finding": "expired"}).status_code == 422
    assert keeper.post(f"{page}/ticks", data=tick | {"finding": "spoiled", "amount": "2"}).status_code == 303
    assert "已做完" in keeper.get(page).get_data(as_text=True)
    assert standing(desk, lot) == {"store": 3, "quarantine": 2}
    assert keeper.post(f"{page}/ticks", data=tick | {"finding": "good"}).status_code == 409


def test_yesterdays_milk_goes_to_no_shelf_and_out_of_no_quarantine(desk: Desk, shop: Shop) -> None:
    lot = with_milk(desk, shop, ends_in=-1)
    form = {"facility_id": str(shop.facility.id), "from_spot": "quarantine", "to_spot": "shelf", "amount": "1"}
    refused = client_of(desk, shop.approver).post(f"/stock/lots/{lot.id}/release", data=form)
    assert refused.status_code == 409
    assert "已过保质期" in refused.get_data(as_text=True)
    assert client_of(desk, shop.keeper).post(f"/stock/lots/{lot.id}/shift", data=form).status_code == 409
    assert standing(desk, lot) == {"quarantine": 5}


def test_two_count_without_seeing_the_book_and_a_third_takes_it_over(desk: Desk, shop: Shop) -> None:
    lot, approver = with_milk(desk, shop), client_of(desk, shop.approver)
    assert approver.post(f"/stock/{shop.facility.id}/counts").status_code == 303
    with desk.site.database.session() as session:
        (number,) = session.query(Count.id).one()
    page, name = f"/stock/counts/{number}", f"{lot.id}-store"
    for counter in (client_of(desk, one) for one in shop.counters):
        shown = counter.get(page).get_data(as_text=True)
        assert f'name="{name}"' in shown
        assert "5 盒" not in shown
        assert counter.post(f"{page}/lines", data={name: ""}).status_code == 422
        assert counter.post(f"{page}/lines", data={name: "4"}).status_code == 303
    assert "−1 盒" in approver.get(page).get_data(as_text=True)
    assert approver.post(f"{page}/closing", data={"reason": ""}).status_code == 422
    assert approver.post(f"{page}/closing", data={"reason": "破了一盒"}).status_code == 303
    assert standing(desk, lot) == {"store": 4}


def test_a_disposal_has_two_signatures_of_two_people(desk: Desk, shop: Shop) -> None:
    lot = with_milk(desk, shop)
    with desk.site.database.session() as session:
        (number,) = session.query(Inspection.id).one()
        now = clock.now(session)
        market.tick(session, number, lot.id, Spot.STORE, Finding.SPOILED, actor=shop.keeper, now=now)
        session.commit()
        (found,) = session.query(Disposal.id).one()
    keeper, approver, page = client_of(desk, shop.keeper), client_of(desk, shop.approver), f"/stock/disposals/{found}"
    assert approver.post(f"{page}/approval", data={"signature": SIGNED}).status_code == 409
    unsigned = keeper.post(f"{page}/signature", data={"way": "bin"})
    assert (unsigned.status_code, "请在框里签名" in unsigned.get_data(as_text=True)) == (422, True)
    assert keeper.post(f"{page}/signature", data={"way": "bin", "signature": SIGNED}).status_code == 303
    assert approver.post(f"{page}/approval", data={"signature": SIGNED}).status_code == 303
    assert "已销毁" in approver.get(page).get_data(as_text=True)
    assert standing(desk, lot) == {}


def test_a_recall_lists_what_went_out(desk: Desk, shop: Shop) -> None:
    lot = with_milk(desk, shop)
    with desk.site.database.session() as session:
        hand_out(session, shop, shop.milk, 2, origin="market.round", origin_id=7)
        session.commit()
    form = {"goods_id": str(shop.milk.id), "batch_number": "B1", "reason": "厂家召回", "source": "市监局"}
    approver = client_of(desk, shop.approver)
    assert approver.post("/stock/recalls", data=form | {"batch_number": "B9"}).status_code == 422
    called = approver.post("/stock/recalls", data=form)
    assert called.status_code == 303
    shown = approver.get(called.location).get_data(as_text=True)
    assert "凭证 7" in shown
    assert "2 盒" in shown
    assert standing(desk, lot) == {"quarantine": 3}


def test_a_facility_is_handed_over_on_the_page(desk: Desk, shop: Shop) -> None:
    keeper, taker, page = client_of(desk, shop.keeper), client_of(desk, shop.counters[0]), f"/stock/{shop.facility.id}"
    assert keeper.post(f"{page}/handover", data={"taker_id": str(shop.counters[0].user_id)}).status_code == 303
    assert "清点无误，我来保管" in taker.get(page).get_data(as_text=True)
    assert taker.post(f"{page}/takeover").status_code == 303
    assert keeper.post(f"{page}/handover", data={"taker_id": str(shop.counters[1].user_id)}).status_code == 403


def test_a_stranger_finds_nothing_and_an_operator_is_not_let_in(desk: Desk, shop: Shop) -> None:
    with desk.site.database.session() as session:
        other = make_shop(session)
        session.commit()
    assert client_of(desk, other.keeper).get(f"/stock/{shop.facility.id}").status_code == 404
    assert desk.client(Role.OPERATOR).get("/stock").status_code == 403
    assert "还没有" not in client_of(desk, shop.keeper).get("/stock").get_data(as_text=True)


def test_the_pages_ask_no_more_however_many_lots_there_are(desk: Desk, shop: Shop) -> None:
    keeper, asked = client_of(desk, shop.keeper), []
    keeper.get(f"/stock/{shop.facility.id}")
    for _ in range(2):
        with_milk(desk, shop)
        with statements(desk.site.database.engine) as sent:
            assert keeper.get(f"/stock/{shop.facility.id}").status_code == 200
        asked.append(len(sent))
    assert asked[0] == asked[1]


def test_kits_are_packed_brought_next_door_and_taken_apart_only_while_all_are_there(desk: Desk, shop: Shop) -> None:
    lot, keeper, page = with_milk(desk, shop), client_of(desk, shop.keeper), f"/stock/{shop.facility.id}"
    bag = {"name": "爱心包", "code": "bag", "category": "food", "commodity": "piece", "unit": "份"}
    at = {"community_id": str(desk.world.community.id)}
    assert keeper.post("/stock/goods", data=bag | at | {"unit": ""}).status_code == 422
    assert keeper.post("/stock/goods", data=bag | at).status_code == 303
    with desk.site.database.session() as session:
        goods = session.scalars(select(Goods).where(Goods.code == "bag")).one()
    form = {"goods_id": str(goods.id), "purse": str(shop.general.id), "number": "2", f"amount-{shop.milk.id}": "1"}
    assert keeper.post(f"{page}/kits", data=form | {"number": "9"}).status_code == 409
    assert keeper.post(f"{page}/kits", data=form).status_code == 303
    with desk.site.database.session() as session:
        packing = session.scalars(select(StockMove).where(StockMove.kind == "kit")).one()
        kit = session.scalars(select(Lot).where(Lot.is_kit)).one()
    assert (standing(desk, lot), standing(desk, kit)) == ({"store": 3}, {"store": 2})
    away = {"to_facility_id": str(shop.overseas.id), f"amount-{kit.id}-store": "1", "reason": "那边缺货"}
    assert keeper.post(f"{page}/transfers", data=away | {f"amount-{kit.id}-store": ""}).status_code == 422
    assert keeper.post(f"{page}/transfers", data=away).status_code == 303
    apart = f"/stock/moves/{packing.id}/unpacking"
    assert keeper.post(apart, data={"reason": "换一种装法"}).status_code == 409
    with desk.site.database.session() as session:
        bringing = session.scalars(select(StockMove).where(StockMove.kind == "transfer")).one()
    wrong, approver = f"/stock/moves/{bringing.id}/reversal", client_of(desk, shop.approver)
    assert keeper.post(wrong, data={"reason": "调错了"}).status_code == 403
    assert approver.post(wrong, data={"reason": ""}).status_code == 422
    assert approver.post(wrong, data={"reason": "调错了"}).status_code == 303
    assert approver.post(wrong, data={"reason": "再来"}).status_code == 409
    assert "已冲正" in approver.get(f"/stock/moves/{bringing.id}").get_data(as_text=True)
    assert keeper.post(apart, data={"reason": "换一种装法"}).status_code == 303
    assert (standing(desk, lot), standing(desk, kit)) == ({"store": 5}, {})


def test_a_receipt_that_was_wrong_is_taken_back_by_another_and_its_round_is_over(desk: Desk, shop: Shop) -> None:
    lot = with_milk(desk, shop)
    with desk.site.database.session() as session:
        move_id = session.scalars(select(StockMove.id).where(StockMove.kind == "receive")).one()
    wrong = f"/stock/moves/{move_id}/reversal"
    assert client_of(desk, shop.approver).post(wrong, data={"reason": "多记一箱"}).status_code == 303
    assert standing(desk, lot) == {}
    with desk.site.database.session() as session:
        assert session.scalars(select(Inspection).where(Inspection.done_at.is_(None))).all() == []


def test_a_facility_is_opened_with_its_keeper_and_the_rules_that_hold_are_public(desk: Desk, shop: Shop) -> None:
    approver, community = client_of(desk, shop.approver), str(desk.world.community.id)
    form = {"community_id": community, "kind": "love_market", "name": "北区爱心超市", "code": "north"}
    nowhere = approver.post("/stock/new", data=form | {"address": "月亮上"})
    assert (nowhere.status_code, 'id="address-error"' in nowhere.get_data(as_text=True)) == (422, True)
    assert approver.post("/stock/new", data=form | {"address": "1号楼"}).status_code == 303
    assert approver.post("/stock/new", data=form | {"address": "1号楼"}).status_code == 409
    with desk.site.database.session() as session:
        opened = session.scalars(select(Facility).where(Facility.code == "north")).one()
    keeper = {"user_id": str(shop.keeper.user_id)}
    assert approver.post(f"/stock/{opened.id}/keeper", data={"user_id": str(shop.approver.user_id)}).status_code == 403
    assert approver.post(f"/stock/{opened.id}/keeper", data=keeper).status_code == 303
    assert approver.post(f"/stock/{opened.id}/keeper", data=keeper).status_code == 409
    book = {"community_id": community, "kind": "daily", "body": "先到期的先发。", "valid_from": shop.today.isoformat()}
    assert approver.post("/stock/rule-books", data=book | {"body": ""}).status_code == 422
    for body in ("先到期的先发。", "先到期的先发，过期的不发。"):
        assert approver.post("/stock/rule-books", data=book | {"body": body}).status_code == 303
    later = book | {"body": "明年的规定", "valid_from": (shop.today + ONE).isoformat()}
    assert approver.post("/stock/rule-books", data=later).status_code == 303
    public = desk.site.app.test_client().get(f"/give/{community}/rules").get_data(as_text=True)
    assert "先到期的先发，过期的不发。" in public
    assert "明年的规定" not in public
    assert "还没有生效" in approver.get("/stock/rule-books").get_data(as_text=True)
