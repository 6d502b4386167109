"""Vouchers with real commits: two firms and the last yuan, one form twice, and a year until the rest goes back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.commands.verify import check
from dispatch.demo.clock import connection, set_clock
from dispatch.errors import DispatchError
from dispatch.models.access import AuditEntry
from dispatch.models.care import VoucherRedemption
from dispatch.models.market import Benefit
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.care.vouchers import NotLeft, VoucherOver
from dispatch.rules.queue import Lane
from dispatch.services import funds
from dispatch.services.care import vouchers
from dispatch.transaction import transaction
from dispatch.workers import run
from tests.conftest import Database
from tests.factories.vouchers import Purses, code_of, grant, make_purses, taking

MARCH = datetime(2026, 3, 10, 2, tzinfo=UTC)


@pytest.fixture
def purses(committed: Database) -> Purses:
    """Three persons and 10,000 yuan, committed for real, in March."""
    set_clock(committed.owner_url, MARCH, rate=0)
    with transaction(EVERYTHING) as session:
        return make_purses(session)


def at_once(works: list[Callable[[Session], object]]) -> list[object]:
    """Run all works at the same moment, each in a thread and a transaction of its own; what each gives or raises."""
    barrier = Barrier(len(works))

    def one(work: Callable[[Session], object]) -> object:
        barrier.wait()
        try:
            with transaction(EVERYTHING) as session:
                return work(session)
        except DispatchError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def test_of_two_firms_at_once_one_gets_what_is_left_and_nothing_is_below_zero(
    purses: Purses, committed: Database
) -> None:
    with transaction(EVERYTHING) as session:
        voucher, other, _ = grant(session, purses)
        codes = [code_of(session, purses, one) for one in (voucher, other)]
    for _ in range(2):
        before = taken_of(voucher.id)
        works = [lambda session, firm=firm: taking(session, firm, codes[0])(13_000) for firm in purses.firms]
        answers = at_once(works)
        if before + 26_000 > voucher.fen:
            assert sorted(type(one).__name__ for one in answers) == ["NotLeft", "VoucherRedemption"]
        else:
            assert all(isinstance(one, VoucherRedemption) for one in answers)
    assert taken_of(voucher.id) == 39_000
    same = [lambda session: taking(session, purses.firms[0], codes[1])(20_000, form_key=5)] * 4
    made = [one for one in at_once(same) if isinstance(one, VoucherRedemption)]
    assert len({one.id for one in made}) == 1
    assert taken_of(other.id) == 20_000
    mixed = [
        lambda session, fen=fen: taking(session, purses.firms[fen % 2], codes[1])(fen) for fen in range(7_001, 7_008)
    ]
    answers = at_once(mixed)
    assert {type(one) for one in answers} == {VoucherRedemption, NotLeft}
    assert taken_of(other.id) <= other.fen
    assert check(committed.engine) == []


def taken_of(voucher_id: int) -> int:
    """What firms took of a voucher."""
    with transaction(EVERYTHING) as session:
        total = func.coalesce(func.sum(VoucherRedemption.fen), 0)
        return int(session.scalars(select(total).where(VoucherRedemption.voucher_id == voucher_id)).one())


def test_a_year_of_vouchers_ends_with_every_fen_where_it_belongs(purses: Purses, committed: Database) -> None:
    firm = purses.firms[0]
    with transaction(EVERYTHING) as session:
        first, second, third = grant(session, purses)
        code = code_of(session, purses, first)
        taking(session, firm, code)(20_000)
        vouchers.freeze(session, second.resident_id, actor=purses.welfare, now=clock.now(session))
    set_clock(committed.owner_url, datetime(2026, 4, 2, 2, tzinfo=UTC), rate=0)
    with transaction(EVERYTHING) as session:
        community, now = purses.world.community.id, clock.now(session)
        (made,) = vouchers.settle_month(session, community, "2026-03", actor=purses.welfare, now=now)
        funds.approve_spending(session, made.spending_id, actor=purses.centre, now=now)
    set_clock(committed.owner_url, datetime(2027, 1, 5, 2, tzinfo=UTC), rate=0)
    with transaction(EVERYTHING) as session:
        now = clock.now(session)
        with pytest.raises(VoucherOver):
            taking(session, firm, code)(1)
        assert vouchers.lapse_vouchers(session, now=now) == 3
        assert vouchers.lapse_voucher(session, third.id, now=now)
    while run.run_due(Lane.PERIODIC):
        pass
    with transaction(EVERYTHING) as session:
        lines = vouchers.statement(session, first.id, actor=purses.welfare)
        assert [(line.fen, line.left) for line in lines] == [(50_000, 50_000), (-20_000, 30_000), (-30_000, 0)]
        (fund,) = [one for one in funds.list_funds(session, actor=purses.centre) if one.fund.code == "general"]
        assert fund.left == {"fen": 980_000}
        assert {row.earmark for row in funds.accounts_in(session, fund.fund.id)} == {None}
        deeds = set(session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("care.%"))))
        assert session.scalars(select(Benefit.programme)).all() == ["voucher"] * 3
        assert {"care.voucher_grant_granted", "care.redeem_voucher", "care.lapse_voucher"} <= deeds
    assert check(committed.engine) == []
    with connection(committed.owner_url) as owner:
        owner.execute(text("ALTER TABLE voucher_redemptions DISABLE TRIGGER USER"))
        owner.execute(text("UPDATE voucher_redemptions SET fen = fen + 1"))
    told = sorted(line.split()[0] for line in check(committed.engine))
    assert told == ["entry", "settlement"]
