"""Posting: the chain grows, balances follow, and what does not fit is refused with its field."""

import json
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.funds import Account, Balance, Entry, EntryNote
from dispatch.rules.access.roles import SYSTEM, Actor, ActorKind, Scope
from dispatch.rules.funds.draft import Dimension, Draft, at, moved
from dispatch.rules.funds.terms import Commodity, EntryKind, Purpose
from dispatch.services import funds
from dispatch.services.funds import AlreadyPosted, AlreadyReversed, IsReversal, NotEnough, NotForThis
from tests.factories.access import make_organisation
from tests.factories.funds import Treasury, give, make_treasury, spend


@pytest.fixture
def treasury(session: Session) -> Treasury:
    """A community with its funds."""
    district = make_organisation(session, "district", name="莲都区")
    return make_treasury(session, make_organisation(session, "community", district, name="后庆社区").id)


def balances(session: Session, treasury: Treasury) -> dict[tuple[int, str, int | None], int]:
    """What every account holds: fund, commodity, holding (None: custody)."""
    rows = session.execute(
        select(Account.fund_id, Account.commodity, Account.holding_id, Balance.amount)
        .join(Balance, Balance.account_id == Account.id)
        .where(Account.community_id == treasury.community_id)
    )
    return {(row.fund_id, row.commodity, row.holding_id): row.amount for row in rows}


def test_a_gift_raises_where_it_lies_and_what_is_owed(session: Session, treasury: Treasury) -> None:
    entry = give(session, treasury, 10_000, words="收到现金")
    till, general = treasury.till.id, treasury.general.id
    assert balances(session, treasury) == {(general, "fen", till): 10_000, (general, "fen", None): 10_000}
    assert (entry.seq, entry.previous, entry.posted_on) == (1, bytes(32), clock.today(clock.now(session)))
    assert session.get_one(EntryNote, entry.id).words == "收到现金"
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_the_digest_is_made_by_the_written_rule_alone(session: Session, treasury: Treasury) -> None:
    first = give(session, treasury, 10_000)
    second = spend(session, treasury, 2_500, facts={"lots": [[7, 250, "2026-12-01"]]})
    accounts = {
        row.holding_id: row.id for row in session.scalars(select(Account)).all() if row.fund_id == treasury.general.id
    }
    day = second.posted_on.isoformat()
    line = {
        "community": treasury.community_id,
        "seq": 2,
        "kind": "spend",
        "posted_on": day,
        "happened_on": day,
        "purpose": "lone_elder",
        "occasion": 1,
        "facts": {"lots": [[7, 250, "2026-12-01"]]},
        "lines": sorted(
            [accounts[holding], treasury.general.id, "own", None, "fen", holding, -2_500]
            for holding in (treasury.till.id, None)
        ),
    }
    written = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert second.previous == first.digest
    assert second.digest == sha256(first.digest + written).digest()


def test_the_last_fen_may_be_spent_and_not_one_more(session: Session, treasury: Treasury) -> None:
    give(session, treasury, 10_000)
    spend(session, treasury, 9_999)
    with pytest.raises(NotEnough) as refused:
        spend(session, treasury, 2)
    assert (refused.value.field, refused.value.message) == (
        "amount",
        "“爱心基金”在“可用余额”只有 0.01 元，不够这一笔的 0.02 元，请改小或先转入",
    )
    spend(session, treasury, 1)
    assert set(balances(session, treasury).values()) == {0}


def test_what_lies_elsewhere_cannot_be_spent_from_here(session: Session, treasury: Treasury) -> None:
    give(session, treasury, 10_000, holding=treasury.bank)
    with pytest.raises(NotEnough) as refused:
        spend(session, treasury, 1)
    assert "“钱箱”" in refused.value.message
    draft = Draft(
        treasury.community_id,
        EntryKind.TRANSFER,
        moved(Dimension(treasury.general.id), treasury.bank.id, treasury.till.id, 400),
    )
    funds.post(session, draft, actor=SYSTEM, now=clock.now(session))
    spend(session, treasury, 400)
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_a_fund_and_a_wish_are_spent_for_their_purposes_only(session: Session, treasury: Treasury) -> None:
    now = clock.now(session)
    give(session, treasury, 500, fund=treasury.overseas)
    with pytest.raises(NotForThis) as refused:
        spend(session, treasury, 1, fund=treasury.overseas, purpose=Purpose.RUNNING)
    assert refused.value.field == "purpose"
    wish = funds.add_earmark(
        session, treasury.general, name="给独居老人", purposes=[Purpose.LONE_ELDER], actor=SYSTEM, now=now
    )
    give(session, treasury, 500, earmark_id=wish.id)
    with pytest.raises(NotForThis):
        spend(session, treasury, 1, earmark_id=wish.id, purpose=Purpose.RELIEF)
    spend(session, treasury, 500, earmark_id=wish.id)
    spend(session, treasury, 500, fund=treasury.overseas, purpose=Purpose.RELIEF)
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_an_origin_is_posted_once(session: Session, treasury: Treasury) -> None:
    give(session, treasury, 500, origin="market.gift", origin_id=7)
    with pytest.raises(AlreadyPosted):
        give(session, treasury, 500, origin="market.gift", origin_id=7)
    give(session, treasury, 500, origin="market.gift", origin_id=7, occasion=2)


def test_a_reversal_takes_back_exactly_and_once(session: Session, treasury: Treasury) -> None:
    entry, now = give(session, treasury, 700), clock.now(session)
    with pytest.raises(Invalid, match="冲正的原因"):
        funds.reverse(session, entry.id, words=" ", actor=SYSTEM, now=now)
    taken = funds.reverse(session, entry.id, words="重复登记", actor=SYSTEM, now=now)
    assert set(balances(session, treasury).values()) == {0}
    with pytest.raises(AlreadyReversed):
        funds.reverse(session, entry.id, words="再来一次", actor=SYSTEM, now=now)
    with pytest.raises(IsReversal):
        funds.reverse(session, taken.id, words="再来一次", actor=SYSTEM, now=now)
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_what_was_spent_meanwhile_cannot_be_taken_back(session: Session, treasury: Treasury) -> None:
    entry = give(session, treasury, 700)
    spend(session, treasury, 1)
    with pytest.raises(NotEnough):
        funds.reverse(session, entry.id, words="重复登记", actor=SYSTEM, now=clock.now(session))


def test_nobody_posts_out_of_reach_or_for_tomorrow(session: Session, treasury: Treasury) -> None:
    stranger = Actor(ActorKind.CENTRE, user_id=None, scope=Scope(communities=frozenset({treasury.community_id + 1})))
    with pytest.raises(NotFound):
        give(session, treasury, 1, actor=stranger)
    tomorrow = clock.today(clock.now(session)) + timedelta(days=1)
    with pytest.raises(Invalid) as refused:
        give(session, treasury, 1, happened_on=tomorrow)
    assert refused.value.field == "happened_on"


def test_money_lies_in_no_stock_and_goods_in_no_till(session: Session, treasury: Treasury) -> None:
    for holding, commodity in ((treasury.stock, Commodity.FEN), (treasury.till, Commodity.GRAM)):
        with pytest.raises(Invalid) as refused:
            give(session, treasury, 1, holding=holding, commodity=commodity)
        assert refused.value.field == "holding_id"


def test_a_purchase_turns_money_into_goods_of_the_same_fund(session: Session, treasury: Treasury) -> None:
    give(session, treasury, 3_000)
    lines = (
        *at(Dimension(treasury.general.id), treasury.till.id, -3_000),
        *at(Dimension(treasury.general.id, Commodity.GRAM), treasury.way.id, 5_000),
    )
    bought = Draft(treasury.community_id, EntryKind.PURCHASE, lines)
    funds.post(session, bought, actor=SYSTEM, now=clock.now(session))
    assert balances(session, treasury)[treasury.general.id, "gram", None] == 5_000
    assert session.scalars(select(Entry.seq).where(Entry.community_id == treasury.community_id)).all() == [1, 2]
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
