"""三访 on pages: a call tells of it, a named person is sent, a helper tells at the door, a death is verified."""

from flask.testing import FlaskClient
from sqlalchemy import select

from dispatch import clock
from dispatch.models.access import AuditEntry
from dispatch.models.care import Condolence, LifeEvent
from dispatch.models.funds import Entry, Spending
from dispatch.models.grid import Resident
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.rules.funds.terms import Owner, Purpose
from dispatch.services import funds, orders
from dispatch.services.orders import OrderDraft
from tests.factories.funds import give, make_treasury
from tests.factories.life import Life, make_life
from tests.web.orders.conftest import ADDRESS, Desk, desk

__all__ = ["desk"]
SECRET = "脑梗住院"


def lived(desk: Desk) -> tuple[Life, str]:
    """Somebody of 三访 at home, and the number of a call from there."""
    with desk.site.database.session() as session:
        life, now = make_life(session, desk.world), clock.now(session)
        about = {"service_id": desk.world.gossip.id, "organisation_id": desk.world.district.id}
        call = OrderDraft(description="陈婆婆家来电", caller_resident_id=life.resident.id, **about)
        number = orders.place(session, call, actor=SYSTEM, now=now).number
        session.commit()
    return life, number


def told(desk: Desk, client: FlaskClient, life: Life, kind: str, **more: str) -> str:
    """Where the form of an event leads."""
    with desk.site.database.session() as session:
        today = clock.today(clock.now(session)).isoformat()
    form = {"kind": kind, "resident_id": str(life.resident.id), "happened_on": today, "words": SECRET} | more
    answer = client.post("/life/new", data=form)
    return answer.headers.get("Location", f"{answer.status_code} {answer.get_data(as_text=True)}")


def test_a_call_tells_of_a_stay_in_hospital_and_a_named_person_is_sent_who_reads_nothing_of_it(desk: Desk) -> None:
    life, number = lived(desk)
    operator, welfare = desk.client(Role.OPERATOR), desk.client(Role.WELFARE)
    assert f"/life/new?order={number}" in operator.get(f"/orders/{number}").get_data(as_text=True)
    assert "陈**" in operator.get(f"/life/new?order={number}").get_data(as_text=True)
    assert told(desk, operator, life, "hospital", order=number) == "/life/thanks"
    assert "已经登记过" in told(desk, operator, life, "hospital", order=number)
    with desk.site.database.session() as session:
        event = session.scalars(select(LifeEvent)).one()
        visit_order = session.scalars(select(Order).where(Order.origin == "care.condolence")).one()
        assert event.source == "call"
    page = welfare.get(f"/life/{event.id}").get_data(as_text=True)
    assert SECRET in page
    assert visit_order.number in page
    slip = desk.client(Role.CENTRE).get(f"/orders/{visit_order.number}").get_data(as_text=True)
    assert "登门慰问" in slip
    assert SECRET not in slip
    assert SECRET not in welfare.get("/life").get_data(as_text=True)
    assert desk.client(Role.OPERATOR).get(f"/life/{event.id}").status_code == 403


def test_a_helper_tells_only_of_the_home_of_an_own_order(desk: Desk) -> None:
    life, number = lived(desk)
    helper = desk.client(Role.PERFORMER)
    assert "请从自己的订单进来" in helper.get("/life/new?q=陈").get_data(as_text=True)
    assert "请先查找并选择居民" in told(desk, helper, life, "accident")
    assert helper.get(f"/life/new?order={number}").status_code == 404
    with desk.site.database.session() as session:
        assert session.scalars(select(LifeEvent.id)).all() == []


def at_the_door(desk: Desk, life: Life) -> str:
    """The number of an order at that home which the firm of a performer's log-in has taken."""
    with desk.site.database.session() as session:
        about = {"service_id": desk.world.plumbing.id, "organisation_id": desk.world.district.id}
        call = OrderDraft(description="水管漏水", address_text=ADDRESS, caller_resident_id=life.resident.id, **about)
        placed, now = orders.place(session, call, actor=SYSTEM, now=clock.now(session)), clock.now(session)
        orders.route(session, placed.id, now=now)
        ((offer, recipient, _),) = orders.offers_of(session, placed)
        orders.accept(session, orders.NamedRound(recipient.performer_id, placed.number, offer.round), now=now)
        assert recipient.performer_id == desk.world.firms[0].id
        session.commit()
    return placed.number


def test_who_works_at_a_home_tells_of_it_and_reads_nothing_more(desk: Desk) -> None:
    life, _ = lived(desk)
    number, helper = at_the_door(desk, life), desk.client(Role.PERFORMER)
    assert "陈**" in helper.get(f"/life/new?order={number}").get_data(as_text=True)
    assert told(desk, helper, life, "hospital", order=number) == "/life/thanks"
    assert told(desk, helper, life, "death", order=number) == "/life/thanks"
    with desk.site.database.session() as session:
        event = session.scalars(select(LifeEvent)).one()
        assert (event.kind, event.source, session.scalars(select(Condolence.state)).one()) == (
            "hospital", "helper", "placed",
        )  # fmt: skip
    assert helper.get(f"/life/{event.id}").status_code == 403
    assert "有居民亡故" in desk.client(Role.CENTRE).get("/alarms").get_data(as_text=True)


def test_a_death_is_recorded_by_who_verifies_it_and_corrected_by_two(desk: Desk) -> None:
    life, number = lived(desk)
    assert told(desk, desk.client(Role.OPERATOR), life, "death", order=number) == "/life/thanks"
    first, second = desk.client(Role.WELFARE), desk.client(Role.CENTRE)
    assert "有居民亡故" in second.get("/alarms").get_data(as_text=True)
    address = told(desk, first, life, "death")
    page = first.get(address).get_data(as_text=True)
    assert "移出三访名单" in page
    assert "有居民亡故" not in second.get("/alarms").get_data(as_text=True)
    assert first.post(f"{address}/withdrawal", data={"reason": ""}).status_code == 422
    assert first.post(f"{address}/withdrawal", data={"reason": "同名"}).status_code == 303
    assert first.post(f"{address}/withdrawal/approval").status_code == 403
    assert second.post(f"{address}/withdrawal/approval").status_code == 303
    page = first.get(address).get_data(as_text=True)
    assert ("已恢复" in page, "没能恢复" in page, "心理咨询的预约不写姓名" in page) == (True, False, True)
    with desk.site.database.session() as session:
        resident = session.get_one(Resident, life.resident.id)
        assert (resident.left_at, resident.household_id) == (None, life.resident.household_id)
        assert session.scalars(select(Condolence.state)).one() == "ended"


def party_care(desk: Desk) -> dict[str, str]:
    """A fund for party care with 500 yuan and where it lies, beside one for anything; as a form names them."""
    with desk.site.database.session() as session:
        treasury, now = make_treasury(session, desk.world.community.id), clock.now(session)
        about = {"code": "party", "name": "党内关爱资金", "owner": Owner.OWN, "purposes": [Purpose.PARTY_CARE]}
        fund = funds.open_fund(session, desk.world.community.id, **about, actor=SYSTEM, now=now)  # type: ignore[arg-type]
        give(session, treasury, 50_000, fund=fund)
        session.commit()
        return {"fund_id": str(fund.id), "holding_id": str(treasury.till.id), "other": str(treasury.general.id)}


def gift_of(desk: Desk) -> Spending | None:
    """What was last asked for the only visit."""
    with desk.site.database.session() as session:
        query = select(Spending).join(Condolence, Condolence.spending_id == Spending.id)
        return session.scalars(query).one_or_none()


def withdraw(desk: Desk, page: str, address: str, *, asker: FlaskClient, other: FlaskClient) -> None:
    """Who asked for it takes it back, once and nobody else; that is kept."""
    assert "撤回申请" not in other.get(page).get_data(as_text=True)
    assert other.post(f"{address}/withdrawal").status_code == 403
    assert "撤回申请" in asker.get(page).get_data(as_text=True)
    assert asker.post(f"{address}/withdrawal").headers["Location"] == page
    assert "已撤回" in asker.get(page).get_data(as_text=True)
    assert asker.post(f"{address}/withdrawal").status_code == 409
    deeds = ["care.withdraw_gift", "funds.spending_withdrawn"]
    with desk.site.database.session() as session:
        kept = select(AuditEntry.action).where(AuditEntry.action.in_(deeds))
        assert sorted(session.scalars(kept)) == deeds


def test_money_that_goes_with_a_visit_is_asked_once_and_approved_by_another(desk: Desk) -> None:
    life, number = lived(desk)
    form, welfare, centre = party_care(desk), desk.client(Role.WELFARE), desk.client(Role.CENTRE)
    page = told(desk, welfare, life, "hospital", order=number)
    with desk.site.database.session() as session:
        address = f"/life/visits/{session.scalars(select(Condolence.id)).one()}/gift"
    shown = welfare.get(page).get_data(as_text=True)
    assert ("党内关爱资金" in shown, "爱心基金" in shown) == (True, False)
    assert welfare.post(address, data=form | {"fund_id": form["other"], "yuan": "200"}).status_code == 422
    assert welfare.post(address, data=form | {"yuan": "两百"}).status_code == 422
    assert "申请慰问金" in welfare.post(address, data=form | {"yuan": "500.01"}).get_data(as_text=True)
    assert gift_of(desk) is None
    assert centre.post(address, data=form | {"yuan": "300"}).headers["Location"] == page
    first = gift_of(desk)
    assert first is not None
    assert centre.post(f"/funds/spendings/{first.id}/approve").status_code == 403
    assert welfare.post(address, data=form | {"yuan": "200"}).status_code == 409
    assert "等审批" in welfare.get(page).get_data(as_text=True)
    refused = desk.client(Role.CENTRE).post(f"/funds/spendings/{first.id}/refuse", data={"reason": "超出标准"})
    assert refused.status_code == 303
    assert welfare.post(address, data=form | {"yuan": "200"}).status_code == 303
    withdraw(desk, page, address, asker=welfare, other=centre)
    assert welfare.post(address, data=form | {"yuan": "200"}).status_code == 303
    second = gift_of(desk)
    assert second is not None
    assert SECRET not in second.words
    assert centre.post(f"/funds/spendings/{second.id}/approve").status_code == 303
    assert "200 元</span> · 已入账" in welfare.get(page).get_data(as_text=True)
    with desk.site.database.session() as session:
        booked = session.get_one(Entry, session.get_one(Spending, second.id).entry_id)
        assert (booked.kind, booked.purpose) == ("spend", "party_care")
        assert sorted(session.scalars(select(Spending.state))) == ["booked", "refused", "withdrawn"]


def test_groups_are_switched_and_listed(desk: Desk) -> None:
    client = desk.client(Role.WELFARE)
    community = {"community_id": str(desk.world.community.id)}
    assert "还没有名单" in client.get("/life/groups").get_data(as_text=True)
    assert client.post("/life/groups", data=community | {"seeded": "1"}).status_code == 303
    assert client.post("/life/groups", data=community | {"name": "退休人员"}).status_code == 422
    assert client.post("/life/groups", data=community | {"name": "军属"}).status_code == 303
    page = client.get("/life/groups").get_data(as_text=True)
    assert all(name in page for name in ("党员", "退休人员", "老年协会会员", "楼道联络员", "军属"))
    assert "应慰问 0 次" in page
