"""Gifts: an entry per line in the fund and for the wish, reversed but never edited, a pledge received once."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.funds import Account, Balance, Entry
from dispatch.models.market import GiftLine, LotBalance
from dispatch.rules.access.roles import SYSTEM, Scope
from dispatch.rules.funds.draft import Foreign
from dispatch.rules.funds.terms import Commodity, Purpose
from dispatch.rules.market.gifts import GiftItem, LineReversed, ReceiptUnknown, Way
from dispatch.rules.market.pledges import PledgeKind, PledgeNotThere
from dispatch.rules.market.shelf import MoveKind
from dispatch.services import funds, market
from dispatch.services.funds import AlreadyAsked, MadeElsewhere, NeedsAnother, OwnSpending
from dispatch.services.market import DonorDraft, Outgoing, Wish
from dispatch.services.market.undoing import approve_asked, take_back_or_ask
from tests.factories.gifts import MONEY, Office, make_office, receive, rice_of
from tests.factories.giving import make_pledge
from tests.factories.market import settle

REFUSED = (
    "UPDATE gifts SET note = 'x' WHERE id = :gift",
    "UPDATE gift_lines SET amount = 1 WHERE id = :line",
    "DELETE FROM gift_lines WHERE id = :line",
    "DELETE FROM gifts WHERE id = :gift",
    """INSERT INTO gift_lines (community_id, gift_id, position, item, commodity, amount, entry_id)
    SELECT community_id, :gift, 2, 'x', 'fen', 1, entry_id FROM gift_lines WHERE gift_id = :other""",
    """INSERT INTO gift_reversals (line_id, community_id, entry_id, reason)
    SELECT id, community_id, entry_id, 'x' FROM gift_lines WHERE id = :line""",
)


@pytest.fixture
def office(session: Session) -> Office:
    return make_office(session)


def owed(session: Session, fund_id: int, commodity: str) -> int:
    """What of a commodity is owed to a fund's purposes."""
    query = (
        select(func.coalesce(func.sum(Balance.amount), 0))
        .join(Account, Account.id == Balance.account_id)
        .where(Account.fund_id == fund_id, Account.commodity == commodity, Account.holding_id.is_(None))
    )
    return int(session.scalars(query).one())


def lines(session: Session, gift_id: int) -> list[GiftLine]:
    """The lines of a gift in their order."""
    return [line for line, _ in market.lines_of_gifts(session, [gift_id])[gift_id]]


def test_money_and_goods_are_a_line_and_an_entry_each(session: Session, office: Office) -> None:
    gift = receive(session, office, MONEY, rice_of(office, 25_000))
    money, rice = lines(session, gift.id)
    assert (money.commodity, money.amount, money.move_id, money.goods_id) == ("fen", 50_000, None, None)
    assert (rice.commodity, rice.amount, rice.goods_id) == ("gram", 25_000, office.shop.rice.id)
    entries = session.scalars(select(Entry).where(Entry.id.in_([money.entry_id, rice.entry_id]))).all()
    assert {entry.kind for entry in entries} == {"gift"}
    assert (owed(session, gift.fund_id, "fen"), owed(session, gift.fund_id, "gram")) == (50_000, 25_000)
    assert session.scalars(select(func.sum(LotBalance.amount))).one() == 25_000


def test_a_wish_is_the_earmark_of_every_line(session: Session, office: Office) -> None:
    gift = receive(session, office, MONEY, rice_of(office, 500), earmark_id=office.shop.wish.id)
    query = select(Account.earmark_id).join(Balance, Balance.account_id == Account.id)
    assert set(session.scalars(query.where(Account.fund_id == gift.fund_id))) == {office.shop.wish.id}


def test_money_of_abroad_is_booked_in_fen_with_its_rate_and_day(session: Session, office: Office) -> None:
    dollars = Foreign("USD", 100_000, Decimal("7.1035"), office.shop.today)
    item = GiftItem("侨胞捐款", Commodity.FEN, 0, foreign=dollars)
    gift = receive(session, office, item, fund_id=office.shop.overseas_fund.id, holding_id=office.bank.id)
    (line,) = lines(session, gift.id)
    entry = session.get_one(Entry, line.entry_id)
    assert (line.amount, entry.currency, entry.foreign_minor, entry.rate) == (
        710_350,
        "USD",
        100_000,
        Decimal("7.1035"),
    )
    assert entry.rate_on == office.shop.today


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"fund_id": 10**12}, "fund_id"),
        ({"earmark_id": 10**12}, "earmark_id"),
        ({"holding_id": None}, "holding_id"),
        ({"holding_id": 10**12}, "holding_id"),
        ({"is_named": True}, "is_named"),
        ({"items": ()}, "lines"),
        ({"note": "长" * 501}, "note"),
    ],
)
def test_what_does_not_fit_names_its_field(
    session: Session, office: Office, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        receive(session, office, **changes)
    assert refused.value.field == field


def test_goods_need_a_place_and_days_to_come_are_refused(session: Session, office: Office) -> None:
    with pytest.raises(Invalid) as refused:
        receive(session, office, rice_of(office, 500), facility_id=None)
    assert refused.value.field == "facility_id"
    with pytest.raises(Invalid) as refused:
        receive(session, office, happened_on=office.shop.today + timedelta(days=1))
    assert refused.value.field == "happened_on"
    in_pieces = replace(rice_of(office, 500), commodity=Commodity.PIECE)
    with pytest.raises(Invalid) as refused:
        receive(session, office, in_pieces)
    assert refused.value.field == "lines"


def test_who_stays_unknown_has_no_donor_and_who_gives_is_named_by_consent(session: Session, office: Office) -> None:
    assert receive(session, office).donor_id is None
    community = office.shop.world.community.id
    donor = market.add_donor(session, community, DonorDraft("陈桂花"), actor=SYSTEM, now=clock.now(session))
    gift = receive(session, office, donor_id=donor.id, is_named=True)
    assert (gift.donor_id, gift.is_named) == (donor.id, True)
    other = make_office(session)
    with pytest.raises(NotFound):
        receive(session, other, donor_id=donor.id)
    with pytest.raises(Invalid) as refused:
        receive(session, other, donor_id=donor.id, actor=SYSTEM)
    assert refused.value.field == "donor_id"


def test_a_pledge_becomes_a_gift_once(session: Session, office: Office) -> None:
    said = {"kind": PledgeKind.MONEY, "fen": 50_000, "address_text": ""}
    pledge = make_pledge(session, office.shop.world, now=clock.now(session), **said)
    gift = receive(session, office, pledge_id=pledge.id, way=Way.BANK, holding_id=office.bank.id)
    assert (gift.pledge_id, pledge.state) == (pledge.id, "received")
    with pytest.raises(PledgeNotThere):
        receive(session, office, pledge_id=pledge.id)


def test_a_pledge_of_another_community_is_not_received_here(session: Session, office: Office) -> None:
    pledge = make_pledge(session, make_office(session).shop.world, now=clock.now(session))
    with pytest.raises(NotFound):
        receive(session, office, pledge_id=pledge.id)
    with pytest.raises(market.OfAnother):
        receive(session, office, pledge_id=pledge.id, actor=SYSTEM)


def test_a_line_is_taken_back_once_with_its_entry_and_its_lot(session: Session, office: Office) -> None:
    gift = receive(session, office, MONEY, rice_of(office, 25_000))
    now = clock.now(session)
    with pytest.raises(Invalid) as refused:
        market.reverse_line(session, lines(session, gift.id)[0].id, reason=" ", actor=office.clerk, now=now)
    assert refused.value.field == "reason"
    for line in lines(session, gift.id):
        market.reverse_line(session, line.id, reason="打错了", actor=office.shop.approver, now=now)
        with pytest.raises(LineReversed):
            market.reverse_line(session, line.id, reason="打错了", actor=office.clerk, now=now)
    assert (owed(session, gift.fund_id, "fen"), owed(session, gift.fund_id, "gram")) == (0, 0)
    assert session.scalars(select(func.sum(LotBalance.amount))).one() == 0
    assert all(reversal is not None for _, reversal in market.lines_of_gifts(session, [gift.id])[gift.id])


def test_one_s_own_line_goes_back_with_its_lot_when_another_has_approved(session: Session, office: Office) -> None:
    gift, now = receive(session, office, MONEY, rice_of(office, 25_000)), clock.now(session)
    for line in lines(session, gift.id):
        with pytest.raises(NeedsAnother):
            market.reverse_line(session, line.id, reason="打错了", actor=office.clerk, now=now)
        asked = take_back_or_ask(session, line.entry_id, words="打错了", actor=office.clerk, now=now)
        with pytest.raises(AlreadyAsked):
            take_back_or_ask(session, line.entry_id, words="打错了", actor=office.clerk, now=now)
        assert asked is not None
        with pytest.raises(OwnSpending):
            approve_asked(session, asked.id, actor=office.clerk, now=now)
        with pytest.raises(MadeElsewhere), session.begin_nested():
            funds.approve_spending(session, asked.id, actor=office.shop.approver, now=now)
        entry = session.get_one(Entry, approve_asked(session, asked.id, actor=office.shop.approver, now=now).entry_id)
        assert (entry.made_by, entry.approved_by) == (office.clerk.user_id, office.shop.approver.user_id)
    settle(session)
    assert session.scalars(select(func.sum(LotBalance.amount))).one() == 0
    assert all(reversal is not None for _, reversal in market.lines_of_gifts(session, [gift.id])[gift.id])


def test_what_was_given_on_meanwhile_is_not_taken_back(session: Session, office: Office) -> None:
    gift = receive(session, office, rice_of(office, 1_000))
    shop, now = office.shop, clock.now(session)
    outgoing = Outgoing(
        kind=MoveKind.HAND_OUT,
        facility_id=shop.facility.id,
        wishes=(Wish(shop.rice.id, 500),),
        purpose=Purpose.LONE_ELDER,
    )
    market.move_out(session, outgoing, actor=shop.keeper, now=now)
    (line,) = lines(session, gift.id)
    with pytest.raises(Exception) as refused, session.begin_nested():  # noqa: PT011 - the journal or the stock, whichever is first
        market.reverse_line(session, line.id, reason="打错了", actor=shop.approver, now=now)
    assert type(refused.value).__name__ in {"NotEnough", "IntegrityError"}


def test_another_s_gift_is_not_there(session: Session, office: Office) -> None:
    gift = receive(session, office)
    stranger = replace(office.clerk, scope=Scope(communities=frozenset({-1})))
    now = clock.now(session)
    with pytest.raises(NotFound):
        market.find_gift(session, gift.id, actor=stranger)
    with pytest.raises(NotFound):
        market.reverse_line(session, lines(session, gift.id)[0].id, reason="x", actor=stranger, now=now)
    assert market.list_gifts(session, actor=stranger) == []
    assert [one.id for one in market.list_gifts(session, actor=office.clerk)] == [gift.id]


def test_thanks_are_said_once(session: Session, office: Office) -> None:
    gift = receive(session, office)
    now = clock.now(session)
    market.thank(session, gift.id, actor=office.clerk, now=now)
    market.thank(session, gift.id, actor=office.clerk, now=now + timedelta(days=1))
    assert (gift.thanked_at, gift.thanked_by) == (now, office.clerk.user_id)


def test_the_database_keeps_gifts_and_lines_as_they_were_written(session: Session, office: Office) -> None:
    gift, other = receive(session, office, MONEY), receive(session, office, MONEY)
    (line,) = lines(session, gift.id)
    named = {"gift": gift.id, "other": other.id, "line": line.id}
    for statement in REFUSED:
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(statement), {name: at for name, at in named.items() if f":{name}" in statement})


def test_every_line_has_a_receipt_and_its_secret_opens_that_line_alone(session: Session, office: Office) -> None:
    community = office.shop.world.community.id
    donor = market.add_donor(session, community, DonorDraft("陈桂花"), actor=SYSTEM, now=clock.now(session))
    gift = receive(session, office, MONEY, rice_of(office, 25_000), donor_id=donor.id, earmark_id=office.shop.wish.id)
    first, second = market.receipts_of_gifts(session, [gift.id])[gift.id]
    assert (first.number[-6:], second.number[-6:]) == ("000001", "000002")
    assert funds.name_on(first.receipt) == "陈桂花"
    own = market.look_up(session, community, first.number, first.secret.lower())
    assert (own.item, own.amount, own.fund, own.wish) == ("捐款", 50_000, "爱心基金", "给孤寡老人")
    assert "陈桂花" not in repr(own)
    for number, secret in (
        (first.number, second.secret),
        (second.number, first.secret),
        ("2026-999999", first.secret),
        ("x", ""),
        (first.number, ""),
    ):
        with pytest.raises(ReceiptUnknown):
            market.look_up(session, community, number, secret)
    with pytest.raises(ReceiptUnknown):
        market.look_up(session, community + 1, first.number, first.secret)


def test_a_line_that_is_taken_back_has_a_void_receipt_that_says_so(session: Session, office: Office) -> None:
    gift = receive(session, office)
    (row,) = market.receipts_of_gifts(session, [gift.id])[gift.id]
    now = clock.now(session)
    market.reverse_line(session, row.line.id, reason="打错了", actor=office.shop.approver, now=now)
    own = market.look_up(session, gift.community_id, row.number, row.secret)
    assert (own.is_void, own.reversed_at) == (True, now)
    again = receive(session, office)
    (other,) = market.receipts_of_gifts(session, [again.id])[again.id]
    assert other.number > row.number
