"""Gifts and sales on pages and over HTTP: received with receipts, looked up by one's own, sold, counted, published."""

import csv
import re
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page
from sqlalchemy import select

from dispatch import clock
from dispatch.gateways.limits import limiter
from dispatch.gateways.messages import Messages, Remembered
from dispatch.models.access import Membership
from dispatch.models.funds import Spending
from dispatch.models.market import Donor, Gift, GiftLine, Sale
from dispatch.models.notify import Notice
from dispatch.queue import Claimed, Job
from dispatch.rules.access.roles import Right, Role
from dispatch.rules.funds.draft import Foreign
from dispatch.rules.funds.terms import Commodity
from dispatch.rules.market.gifts import GiftItem
from dispatch.services import market
from dispatch.services.access import sessions, vault
from dispatch.workers import notify as notify_worker
from tests.api.calling import caller
from tests.factories.gifts import Office, make_office, plan, receive
from tests.factories.giving import make_agreement
from tests.factories.market import Shop, hand_out, signature, take_in
from tests.factories.world import user
from tests.web.conftest import Site
from tests.web.looking import look_at_both_widths
from tests.web.orders.conftest import Desk, open_page

__all__ = ["open_page"]
OpenPage = Callable[..., Page]


@pytest.fixture
def office(site: Site) -> Office:
    with site.app.app_context():
        limiter.reset()
    with site.database.session() as session:
        made = make_office(session)
        session.commit()
    return made


@pytest.fixture
def desk(site: Site, office: Office) -> Desk:
    return Desk(site, office.shop.world)


def person(site: Site, office: Office, *roles: Role) -> FlaskClient:
    """Somebody of these roles, logged in."""
    with site.database.session() as session:
        made = user(session)
        for role in roles:
            at = office.shop.world.district.id
            session.add(Membership(user_id=made.id, organisation_id=at, role=str(role)))
        session.flush()
        token = sessions.open_session(session, made.id, is_complete=True, now=clock.now(session))
        session.commit()
    client = site.app.test_client()
    client.set_cookie("session", token)
    client.environ_base["HTTP_X_CSRF_TOKEN"] = vault.sign("csrf", token.encode()).hex()
    return client


def typed(office: Office, **changes: Any) -> dict[str, Any]:
    """500 yuan and 50 斤 of rice for the lone elders."""
    return {
        "way": "desk",
        "fund": f"{office.shop.general.id}:{office.shop.wish.id}",
        "goods_id": ["", str(office.shop.rice.id)],
        "item": ["", "晚米"],
        "amount": ["500", "50"],
        "produced_on": ["", office.shop.today.isoformat()],
        "expires_on": ["", ""],
        "holding_id": str(office.till.id),
        "facility_id": str(office.shop.facility.id),
    } | changes


def lines(site: Site) -> list[GiftLine]:
    """Every line, oldest first."""
    with site.database.session() as session:
        return [*session.scalars(select(GiftLine).order_by(GiftLine.id))]


def test_a_gift_is_entered_printed_looked_up_and_taken_back(site: Site, office: Office) -> None:
    client = person(site, office, Role.KEEPER)
    assert "还没有捐赠" in client.get("/giving/gifts").get_data(as_text=True)
    assert client.get("/giving/gifts/new").status_code == 200
    assert client.post("/giving/gifts/new", data=typed(office)).status_code == 303
    money, rice = lines(site)
    assert (money.item, money.amount, rice.item, rice.amount) == ("捐款", 50_000, "晚米", 25_000)
    printed = client.get(f"/giving/gifts/{money.gift_id}/receipts").get_data(as_text=True)
    numbers = re.findall(r"20\d\d-\d{6}", printed)
    secrets = re.findall(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", printed)
    assert len(set(numbers)) == len(set(secrets)) == 2
    stranger, path = site.app.test_client(), f"/give/{office.shop.world.community.id}/receipt"
    assert numbers[0] in stranger.get(path, query_string={"number": numbers[0]}).get_data(as_text=True)
    own = stranger.post(path, data={"number": numbers[0], "secret": secrets[0].lower()})
    assert (own.status_code, "500.00" in own.get_data(as_text=True)) == (200, True)
    assert "晚米" not in own.get_data(as_text=True)
    assert stranger.post(path, data={"number": numbers[0], "secret": secrets[1]}).status_code == 404
    back = f"/giving/lines/{money.id}/reversal"
    assert client.post(back, data={"reason": "打错了"}).status_code == 303
    assert "已申请冲销，等待另一位审批" in client.get(f"/giving/gifts/{money.gift_id}").get_data(as_text=True)
    with site.database.session() as session:
        asked = session.scalars(select(Spending.id)).one()
    assert person(site, office, Role.CENTRE).post(f"/funds/spendings/{asked}/approve").status_code == 303
    again = client.post(back, data={"reason": "打错了"})
    assert (again.status_code, "已经冲正过" in again.get_data(as_text=True)) == (409, True)
    own = stranger.post(path, data={"number": numbers[0], "secret": secrets[0]})
    assert "这张收据已作废" in own.get_data(as_text=True)
    assert client.post(f"/giving/gifts/{money.gift_id}/thanks").status_code == 303
    assert "晚米" in client.get("/giving/gifts").get_data(as_text=True)


def test_a_secret_is_guessed_a_few_times_only(site: Site, office: Office) -> None:
    with site.database.session() as session:
        gift = receive(session, office)
        (row,) = market.receipts_of_gifts(session, [gift.id])[gift.id]
        session.commit()
    stranger, path = site.app.test_client(), f"/give/{office.shop.world.community.id}/receipt"
    tries = [stranger.post(path, data={"number": row.number, "secret": "0000-0000-0000"}) for _ in range(6)]
    assert [one.status_code for one in tries] == [404] * 5 + [429]
    assert stranger.post(path, data={"number": row.number, "secret": row.secret}).status_code == 429
    asked = {"community_id": office.shop.world.community.id, "number": row.number, "secret": "0000-0000-0000"}
    for spelled in (str(asked["community_id"]), f"0{asked['community_id']}", float(asked["community_id"])):
        assert stranger.post("/api/disclosures/proof", json=asked | {"community_id": spelled}).status_code == 422
    by_id = [stranger.post("/api/disclosures/proof", json=asked) for _ in range(5)]
    assert [one.status_code for one in by_id] == [409] * 4 + [429]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": ["x", "50"]}, "数量请用数字填写"),
        ({"amount": ["1.234", "50"]}, "金额最多到分"),
        ({"amount": ["", ""], "item": ["", ""], "goods_id": ["", ""], "produced_on": ["", ""]}, "捐赠至少一行"),
        ({"holding_id": ""}, "捐款请选择存入"),
        ({"facility_id": ""}, "物资请选择放在哪个超市"),
        ({"way": "ghost"}, "请选择捐赠怎样来的"),
        ({"is_named": "1"}, "不留名的捐赠不能公示姓名"),
        ({"currency": "USD"}, "外币要写明金额"),
    ],
)
def test_a_wrong_gift_says_what_to_do_and_books_nothing(
    site: Site, office: Office, changes: dict[str, Any], words: str
) -> None:
    answer = person(site, office, Role.KEEPER).post("/giving/gifts/new", data=typed(office, **changes))
    assert (answer.status_code, words in answer.get_data(as_text=True)) == (422, True)
    assert lines(site) == []


def test_money_of_abroad_is_entered_with_its_rate(site: Site, office: Office) -> None:
    row = {"goods_id": [""], "item": ["侨胞捐款"], "amount": [""], "produced_on": [""], "expires_on": [""]}
    abroad = {"currency": "usd", "foreign_minor": "100000", "rate": "7.1035", "rate_on": office.shop.today.isoformat()}
    data = typed(office, **row, **abroad, fund=str(office.shop.overseas_fund.id))
    assert person(site, office, Role.ACCOUNTANT).post("/giving/gifts/new", data=data).status_code == 303
    assert [one.amount for one in lines(site)] == [710_350]


def test_a_sale_goes_through_two_counters_the_bank_and_to_the_public(site: Site, office: Office) -> None:
    with site.database.session() as session:
        agreement = make_agreement(session, office.shop.world, signed_on=office.shop.today, now=clock.now(session))
        session.commit()
    centre, keeper, accountant = (person(site, office, role) for role in (Role.CENTRE, Role.KEEPER, Role.ACCOUNTANT))
    day = office.shop.today.isoformat()
    plan = {"name": "春风义卖", "place": "广场", "held_on": day, "agreement_id": str(agreement.id)}
    plan["fund"] = str(office.shop.general.id)
    assert centre.post("/sales", data=plan | {"held_on": ""}).status_code == 422
    assert centre.post("/sales", data=plan).status_code == 303
    with site.database.session() as session:
        sale = session.scalars(select(Sale)).one()
    path = f"/sales/{sale.id}"
    assert keeper.post(f"{path}/counts", data={"yuan": "1234.50"}).status_code == 303
    assert keeper.post(f"{path}/counts", data={"yuan": "1234.50"}).status_code == 409
    assert "1234.5" not in centre.get(path).get_data(as_text=True)
    assert centre.post(f"{path}/counts", data={"yuan": "1234.50"}).status_code == 303
    assert "1234.5" in accountant.get(path).get_data(as_text=True)
    money = {"yuan": "1234.5", "holding_id": str(office.bank.id)}
    assert centre.post(f"{path}/banking", data=money).status_code == 403
    assert accountant.post(f"{path}/banking", data=money | {"yuan": "1234"}).status_code == 422
    assert accountant.post(f"{path}/banking", data=money).status_code == 303
    public = f"/give/{office.shop.world.community.id}/sales"
    assert "春风义卖" not in site.app.test_client().get(public).get_data(as_text=True)
    assert centre.post(f"{path}/publication", data={"result": "谢谢大家"}).status_code == 303
    shown = site.app.test_client().get(public).get_data(as_text=True)
    assert all(words in shown for words in ("春风义卖", "1234.50", "全部归入爱心基金", "谢谢大家"))
    assert centre.post(f"{path}/cancellation").status_code == 409


def test_the_api_receives_and_shows_gifts_and_hides_an_open_count(site: Site, office: Office) -> None:
    district = office.shop.world.district.id
    machine = caller(site.database, district, Right.GIFTS_READ, Right.GIFTS_RECEIVE, Right.CAMPAIGNS_READ)
    item = {"item": "捐款", "commodity": "fen", "amount": 100}
    body = {"fund_id": office.shop.general.id, "holding_id": office.till.id, "items": [item]}
    headers = {"Authorization": f"Bearer {machine.key}", "Idempotency-Key": "k"}
    first, again = (machine.client.post("/api/gifts", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, first.json) == (201, again.json)
    (line,) = (first.json or {})["lines"]
    assert re.fullmatch(r"20\d\d-\d{6}", line["receipt"])
    assert (machine.get("/api/gifts").json or {})["items"] == [first.json]
    with site.database.session() as session:
        assert len(session.scalars(select(Gift)).all()) == 1
        now = clock.now(session)
        agreement = make_agreement(session, office.shop.world, signed_on=office.shop.today, now=now)
        draft = market.SaleDraft("义卖", "广场", office.shop.today, agreement.id, office.shop.general.id)
        sale = market.plan_sale(session, draft, actor=office.clerk, now=now)
        market.count_sale(session, sale.id, 777, actor=office.clerk, now=now)
        session.commit()
    shown = machine.get(f"/api/sales/{sale.id}")
    assert ((shown.json or {})["fen"], (shown.json or {})["counts"]) == (None, 1)
    assert "777" not in shown.text


def test_axe_finds_nothing_on_the_pages_of_gifts_and_sales(open_page: OpenPage, site: Site, office: Office) -> None:
    with site.database.session() as session:
        gift, now = receive(session, office), clock.now(session)
        agreement = make_agreement(session, office.shop.world, signed_on=office.shop.today, now=now)
        draft = market.SaleDraft("义卖", "广场", office.shop.today, agreement.id, office.shop.general.id)
        sale = market.plan_sale(session, draft, actor=office.clerk, now=now)
        session.commit()
    own = f"/give/{office.shop.world.community.id}"
    staff = ("/giving/gifts", "/giving/gifts/new", f"/giving/gifts/{gift.id}", f"/giving/gifts/{gift.id}/receipts")
    page = open_page(Role.CENTRE, "/giving/gifts")
    for address in (*staff, "/sales", f"/sales/{sale.id}", f"{own}/receipt", f"{own}/sales"):
        page.goto(site.url + address, wait_until="load")
        look_at_both_widths(page)


def test_the_overseas_year_is_told_in_totals_with_its_rates_and_no_name(site: Site, office: Office) -> None:
    dollars = Foreign("USD", 100_000, Decimal("7.1035"), office.shop.today)
    with site.database.session() as session:
        donor = market.DonorDraft("陈嘉庚", is_overseas=True)
        giver = market.add_donor(
            session, office.shop.world.community.id, donor, actor=office.clerk, now=clock.now(session)
        )
        money = GiftItem("美元", Commodity.FEN, 710_350, foreign=dollars)
        receive(session, office, money, fund_id=office.shop.overseas_fund.id, donor_id=giver.id)
        receive(session, office)
        rice = {"facility_id": office.shop.overseas.id, "fund_id": office.shop.overseas_fund.id}
        take_in(session, office.shop, office.shop.rice, 25_000, produced_on=office.shop.today, **rice)
        hand_out(session, office.shop, office.shop.rice, 5_000, facility_id=office.shop.overseas.id)
        session.commit()
    accountant = person(site, office, Role.ACCOUNTANT)
    shown = accountant.get("/overseas").get_data(as_text=True)
    for words in ("1000.00 USD", "7,103.50 元", "汇率 7.1035", "50 斤", "用于 · 孤寡老人", "-10 斤", "40 斤"):
        assert words in shown, words
    year = office.shop.today.year
    file = accountant.get(f"/overseas/extract.csv?year={year}").get_data(as_text=True)
    rows = list(csv.reader(file.splitlines()))
    assert ["侨爱基金", "斤", "期末", "40"] in rows
    assert ["侨爱基金", "斤", "用于 · 孤寡老人", "-10"] in rows
    assert "陈嘉庚" not in shown + file
    assert "500.00" not in shown + file
    assert "这一年没有侨爱的收支" in accountant.get(f"/overseas?year={year - 1}").get_data(as_text=True)
    assert accountant.get("/overseas?year=1").status_code == 422
    assert person(site, office, Role.KEEPER).get("/overseas").status_code == 403


def test_what_was_signed_with_a_partner_is_kept_as_a_picture_and_nothing_else_is(site: Site, office: Office) -> None:
    with site.database.session() as session:
        now = clock.now(session)
        deal = make_agreement(session, office.shop.world, signed_on=office.shop.today, now=now)
        session.commit()
    centre, page = person(site, office, Role.CENTRE), f"/campaigns/agreements/{deal.id}/scans"
    for hostile in (b"", b"<svg onload=alert(1)>", b"GIF89a" + bytes(40)):
        refused = centre.post(page, data={"scan": (BytesIO(hostile), "deal.png")})
        assert refused.status_code == 422, hostile
    assert centre.post(page, data={"scan": (BytesIO(signature()), "../../deal.html")}).status_code == 303
    assert "扫描件 1" in centre.get("/campaigns").get_data(as_text=True)
    kept = centre.get(f"{page}/1")
    assert (kept.status_code, kept.mimetype, kept.headers["Cache-Control"]) == (200, "image/png", "private, no-store")
    assert centre.get(f"{page}/2").status_code == 404
    assert person(site, office, Role.OPERATOR).get(f"{page}/1").status_code == 403


def test_a_sale_s_goods_are_brought_sold_or_back_and_published_by_whose_they_were(
    site: Site, office: Office, open_page: OpenPage
) -> None:
    shop = office.shop
    with site.database.session() as session:
        take_in(session, shop, shop.coat, 9)
        sale = plan(session, office)
        session.commit()
    page, keeper, centre = f"/sales/{sale.id}", keeping(site, shop), person(site, office, Role.CENTRE)
    assert "还没有登记带去的物资" in centre.get(page).get_data(as_text=True)
    own = {"facility_id": str(shop.facility.id), "goods_id": str(shop.coat.id), "amount": "3"}
    assert keeper.post(f"{page}/own-goods", data=own | {"amount": "99"}).status_code == 409
    assert keeper.post(f"{page}/own-goods", data=own).status_code == 303
    assert person(site, office, Role.KEEPER).post(f"{page}/own-goods", data=own).status_code == 403
    other = {"source": "consigned", "words": "毛衣", "pieces": "5"}
    assert centre.post(f"{page}/other-goods", data=other | {"words": ""}).status_code == 422
    assert centre.post(f"{page}/other-goods", data=other).status_code == 303
    for counter in (person(site, office, Role.KEEPER), person(site, office, Role.KEEPER)):
        assert counter.post(f"{page}/counts", data={"yuan": "60"}).status_code == 303
    bank = {"yuan": "60", "holding_id": str(office.bank.id)}
    accountant = person(site, office, Role.ACCOUNTANT)
    unsettled = accountant.post(f"{page}/banking", data=bank)
    assert (unsettled.status_code, "请先逐样填写卖出多少" in unsettled.get_data(as_text=True)) == (422, True)
    mine, theirs = (f"/sales/lines/{one}" for one in (1, 2))
    assert centre.post(f"{mine}/sold", data={"sold": "1"}).status_code == 403
    assert keeper.post(f"{mine}/own-sold", data={"sold": "4"}).status_code == 422
    assert keeper.post(f"{mine}/own-sold", data={"sold": "2"}).status_code == 303
    assert centre.post(f"{theirs}/sold", data={"sold": "5"}).status_code == 303
    shown = open_page(Role.CENTRE, page)
    look_at_both_widths(shown)
    assert "卖出 2 件，退回 1 件" in (shown.text_content("main") or "")
    assert accountant.post(f"{page}/banking", data=bank).status_code == 303
    assert centre.post(f"{page}/publication", data={"result": "谢谢大家"}).status_code == 303
    public = site.app.test_client().get(f"/give/{sale.community_id}/sales").get_data(as_text=True)
    assert all(words in public for words in ("棉衣", "爱心超市的", "2 件", "毛衣", "居民寄卖的", "5 件", "60 元"))


def keeping(site: Site, shop: Shop) -> FlaskClient:
    """The keeper of the shop, logged in."""
    with site.database.session() as session:
        token = sessions.open_session(session, shop.keeper.user_id or 0, is_complete=True, now=clock.now(session))
        session.commit()
    client = site.app.test_client()
    client.set_cookie("session", token)
    client.environ_base["HTTP_X_CSRF_TOKEN"] = vault.sign("csrf", token.encode()).hex()
    return client


def test_a_donor_who_left_an_address_is_thanked_there_once_and_the_address_is_forgotten(
    site: Site, office: Office
) -> None:
    centre, at = person(site, office, Role.CENTRE), {"community_id": str(office.shop.world.community.id)}
    form = at | {"name": "陈桂花", "kind": "person", "email": "guihua@example.org"}
    wrong = centre.post("/giving/donors", data=form | {"email": "guihua"})
    assert (wrong.status_code, 'id="email-error"' in wrong.get_data(as_text=True)) == (422, True)
    assert centre.post("/giving/donors", data=form).status_code == 303
    assert centre.post("/giving/donors", data=form | {"name": "不留邮箱", "email": ""}).status_code == 303
    with site.database.session() as session:
        gifts = [receive(session, office, donor_id=one.id) for one in session.scalars(select(Donor).order_by(Donor.id))]
        session.commit()
    for gift in gifts * 2:
        assert centre.post(f"/giving/gifts/{gift.id}/thanks").status_code == 303
    with site.database.session() as session:
        notice = session.scalars(select(Notice)).one()
        job = session.scalars(select(Job).where(Job.kind == "notify.deliver")).one()
    receivers, before = Remembered(), Messages.way
    Messages.way = receivers
    for _ in range(2):
        notify_worker.deliver(Claimed(1, job.kind, notice.id, {}, job.lane, job.run_at, 1, 1))
    Messages.way = before
    (sent,) = receivers.accepted
    assert (sent.address, sent.channel) == ("guihua@example.org", "email")
    assert "感谢您的捐赠" in sent.text
    assert "陈桂花" not in sent.text + sent.subject
    assert notice.facts.keys() == {"numbers", "place"}
    with site.database.session() as session:
        kept = session.get_one(Notice, notice.id)
        assert (kept.state, kept.secret) == ("delivered", None)
    assert centre.post(f"/giving/donors/{gifts[0].donor_id}/email", data={"email": ""}).status_code == 303
    assert "发邮件" not in centre.get("/giving/donors").get_data(as_text=True)
