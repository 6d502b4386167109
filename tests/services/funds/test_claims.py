"""Named accounts in the journal: services and database let nothing but the vouchers' own kinds near them."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.funds import Earmark
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.funds.booking import Booking
from dispatch.rules.funds.claims import EarmarkKind
from dispatch.rules.funds.draft import Dimension, Draft, at
from dispatch.rules.funds.terms import EntryKind, Purpose
from dispatch.services import funds
from dispatch.services.funds import NamedAccount
from tests.factories.access import make_organisation
from tests.factories.funds import Treasury, give, make_treasury
from tests.factories.market import settle
from tests.factories.world import set_policies
from tests.services.funds.conftest import Ground


def named(session: Session, treasury: Treasury, kind: EarmarkKind) -> Earmark:
    """A named account of the general fund."""
    told = {"name": f"服务券 {kind}", "purposes": [Purpose.VOUCHER], "kind": kind}
    return funds.add_earmark(session, treasury.general, **told, actor=SYSTEM, now=clock.now(session))  # type: ignore[arg-type]


def moving(treasury: Treasury, kind: EntryKind, origin: int | None, target: int | None, fen: int) -> Draft:
    """Fen that go from one dimension of the general fund to another, at the till."""
    lines = (
        *at(Dimension(treasury.general.id, earmark_id=origin), treasury.till.id, -fen),
        *at(Dimension(treasury.general.id, earmark_id=target), treasury.till.id, fen),
    )
    return Draft(treasury.community_id, kind, lines, purpose=Purpose.VOUCHER if kind is EntryKind.GRANT else None)


def test_fen_go_to_a_person_from_there_to_a_firm_and_the_rest_comes_back(session: Session) -> None:
    treasury = make_treasury(session, make_organisation(session, "community").id)
    now = clock.now(session)
    give(session, treasury, 1_000)
    person, firm = (named(session, treasury, kind) for kind in (EarmarkKind.VOUCHER, EarmarkKind.PAYEE))
    for kind, origin, target, fen in (
        (EntryKind.GRANT, None, person.id, 500),
        (EntryKind.REDEEM, person.id, firm.id, 300),
        (EntryKind.LAPSE, person.id, None, 200),
    ):
        funds.post(session, moving(treasury, kind, origin, target, fen), actor=SYSTEM, now=now)
    settle(session)
    left = {row.earmark: row.amount for row in funds.accounts_in(session, treasury.general.id) if row.side == "custody"}
    assert left == {None: 700, firm.name: 300}
    assert funds.list_earmarks(session, actor=SYSTEM) == []
    assert (treasury.general.id, person.id) not in funds.wish_names(session, actor=SYSTEM)


def test_nobody_books_on_a_named_account_by_hand(session: Session) -> None:
    community = make_organisation(session, "community")
    set_policies(session, community, funds__approve_above_fen=1_000)
    treasury = make_treasury(session, community.id)
    now = clock.now(session)
    give(session, treasury, 1_000)
    person, firm = (named(session, treasury, kind) for kind in (EarmarkKind.VOUCHER, EarmarkKind.PAYEE))
    funds.post(session, moving(treasury, EntryKind.GRANT, None, person.id, 500), actor=SYSTEM, now=now)
    funds.post(session, moving(treasury, EntryKind.REDEEM, person.id, firm.id, 300), actor=SYSTEM, now=now)
    for earmark in (person, firm):
        booking = Booking(
            EntryKind.SPEND, treasury.general.id, treasury.till.id, 100, earmark.id, purpose=Purpose.VOUCHER
        )
        for act in (funds.book, funds.ask_spending):
            with pytest.raises(NamedAccount):
                act(session, booking, actor=SYSTEM, now=now)
        with pytest.raises(NamedAccount):
            give(session, treasury, 5, earmark_id=earmark.id)
    with pytest.raises(NamedAccount):
        funds.post(session, moving(treasury, EntryKind.REDEEM, person.id, None, 5), actor=SYSTEM, now=now)


def test_the_database_refuses_what_the_services_would(ground: Ground) -> None:
    person, firm = (named(ground.session, ground.treasury, kind) for kind in (EarmarkKind.VOUCHER, EarmarkKind.PAYEE))
    place = {"holding_id": ground.treasury.till.id, "holding_kind": "till"}
    pairs = {
        one.id: (ground.account(earmark_id=one.id, **place), ground.account(earmark_id=one.id))
        for one in (person, firm)
    }
    plain = (ground.till, ground.custody)

    def lines(origin: tuple[int, int], target: tuple[int, int]) -> list[tuple[int, int]]:
        return [*((account, -5) for account in origin), *((account, 5) for account in target)]

    ground.entry("grant", *lines(plain, pairs[person.id]), purpose="voucher")
    wrong = (
        ("redeem", lines(pairs[person.id], plain), {}),
        ("lapse", lines(pairs[person.id], pairs[firm.id]), {}),
        ("spend", [(account, -5) for account in pairs[person.id]], {"purpose": "voucher"}),
        ("gift", [(account, 5) for account in pairs[firm.id]], {}),
    )
    for kind, moved, more in wrong:
        with pytest.raises(DBAPIError, match="may not touch a named account"), ground.session.begin_nested():
            ground.entry(kind, *moved, **more)
    ground.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    ground.session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    ground.entry("redeem", *lines(pairs[person.id], pairs[firm.id]))
    with pytest.raises(DBAPIError, match="may not touch"), ground.session.begin_nested():
        ground.entry("spend", *((account, -5) for account in pairs[firm.id]), purpose="voucher")
