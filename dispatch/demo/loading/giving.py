"""A chunk of the load: a few donors and their gifts, an open pledge, an appeal, a charity sale that is over."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.demo.loading.book import Book
from dispatch.demo.loading.shelves import fund_of
from dispatch.demo.organisations import COMMUNITY
from dispatch.models.funds import Holding
from dispatch.models.market import Appeal, Facility, Goods
from dispatch.rules.funds.draft import Foreign
from dispatch.rules.funds.terms import Commodity
from dispatch.rules.market.campaigns import AgreementPurpose, Medium, PartnerKind
from dispatch.rules.market.gifts import GiftItem, Package, Way
from dispatch.rules.market.pledges import PledgeKind, PledgeSource, Promise
from dispatch.services import market
from dispatch.services.market import AgreementDraft, DonorDraft, GiftDraft, PartnerDraft, PledgeDraft, SaleDraft

PHONE: Final = "17400000107"
"""Of a range that nobody has (174 0000)."""
ONE = timedelta(days=1)
TAKINGS = 386_050
APPEAL = (
    "各位居民：\n\n天冷了。请把家里八成新的冬衣、未拆封的米油捐给爱心超市，送给有困难的邻居。\n"
    "捐赠热线 96345，可以上门取；每一笔都有收据，凭收据能查到去向。\n\n后庆社区"
)


def load_giving(session: Session, book: Book) -> int:
    """Donors, gifts, a pledge, an appeal and a sale; 0 when they are there. All of it made up."""
    community_id = book.known(session).organisations()[COMMUNITY]
    if session.execute(select(Appeal.id).where(Appeal.community_id == community_id)).first() is not None:
        return 0
    return load_gifts(session, book, community_id) + load_campaigns(session, book, community_id)


def holding(session: Session, community_id: int, code: str) -> int:
    """The id of a place of money."""
    query = select(Holding.id).where(Holding.community_id == community_id, Holding.code == code)
    return session.execute(query).scalar_one()


def load_gifts(session: Session, book: Book, community_id: int) -> int:
    """A resident with money and rice, somebody unknown, one from overseas with dollars; a pledge to be fetched."""
    now, today = clock.now(session), clock.today(clock.now(session))
    named, abroad = (
        market.add_donor(session, community_id, draft, actor=book.actor, now=now)
        for draft in (
            DonorDraft("郑德明", phone=PHONE, is_named=True),
            DonorDraft("旅意侨胞 周先生", is_overseas=True),
        )
    )
    rice = session.scalars(select(Goods).where(Goods.community_id == community_id, Goods.code == "rice")).one()
    here = select(Facility.id).where(Facility.community_id == community_id, Facility.code == "love")
    shop = session.scalars(here).one()
    general, overseas = (fund_of(session, community_id, code) for code in ("general", "overseas"))
    till, bank = (holding(session, community_id, code) for code in ("till", "bank"))
    grain = GiftItem(rice.name, Commodity.GRAM, 25_000, rice.id, Package(produced_on=today - 5 * ONE))
    dollars = Foreign("USD", 50_000, Decimal("7.0937"), today)
    gifts = (
        GiftDraft(general, (GiftItem("捐款", Commodity.FEN, 50_000), grain), donor_id=named.id, is_named=True,
                  holding_id=till, facility_id=shop),
        GiftDraft(general, (GiftItem("捐款", Commodity.FEN, 20_000),), holding_id=till),
        GiftDraft(overseas, (GiftItem("侨胞捐款", Commodity.FEN, 0, foreign=dollars),), way=Way.BANK,
                  donor_id=abroad.id, holding_id=bank),
    )  # fmt: skip
    for gift in gifts:
        market.receive_gift(session, gift, actor=book.actor, now=now)
    promise = Promise(PledgeKind.GOODS, "两床新棉被，还有一袋米", address_text="后庆小区 3幢1单元 201")
    pledge = PledgeDraft(promise, PledgeSource.LINE, name="郑德明", phone=PHONE, wish="给孤寡老人")
    market.take_pledge(session, community_id, pledge, actor=book.actor, now=now)
    return len(gifts) + 1


def load_campaigns(session: Session, book: Book, community_id: int) -> int:
    """An appeal with its prints, a partner with an agreement, a sale that two people counted, a report, a session."""
    now, today, users = clock.now(session), clock.today(clock.now(session)), book.known(session).users()
    by = {"actor": book.actor, "now": now}
    appeal = market.write_appeal(session, community_id, title="捐一件衣，暖一个冬", words=APPEAL, **by)
    market.note_prints(session, appeal.id, copies=300, given_where="老年协会和五个片区", given_on=today, **by)
    charity = market.add_partner(session, community_id, PartnerDraft(PartnerKind.CHARITY, "莲都慈善（演示）"), **by)
    words = "义卖所得全部归入爱心基金，由社区代管，结果公布。"
    signed = AgreementDraft(AgreementPurpose.SALE, "后庆义卖-1", words, today - 60 * ONE)
    agreement = market.sign_agreement(session, charity.id, signed, **by)
    general = fund_of(session, community_id, "general")
    plan = SaleDraft("秋日义卖", "后庆文化广场", today - 20 * ONE, agreement.id, general)
    sale = market.plan_sale(session, plan, **by)
    for keeper in ("keeper1", "keeper2"):
        counter = replace(book.actor, user_id=users[keeper])
        market.count_sale(session, sale.id, TAKINGS, actor=counter, now=now)
    market.bank_sale(session, sale.id, TAKINGS, holding(session, community_id, "bank"), **by)
    market.publish_sale(session, sale.id, "谢谢一百多位邻居。所得全部归入爱心基金，用于今年冬天的慰问。", **by)
    report = {"outlet": "处州晚报（演示）", "title": "一场义卖暖了一条街", "published_on": today, "shows_people": False}
    market.note_media(session, community_id, medium=Medium.NEWSPAPER, **report, **by)
    market.note_chat(session, community_id, held_on=today, topic="拉家常", present=8, referred=1, **by)
    return 5
