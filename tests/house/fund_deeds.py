"""What can be asked of a fund, an entry and a receipt, with bodies that are right."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.funds import BankStatement, Entry, Fund, Holding
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.funds.booking import Booking
from dispatch.rules.funds.draft import Dimension, Draft, at
from dispatch.rules.funds.terms import EntryKind, HoldingKind, Owner, Purpose
from dispatch.services import funds
from tests.factories.world import NUMBERS, World, user

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]
ID = "<int(max=9223372036854775807):"
OPEN_ENTRIES: dict[int, int] = {}
"""The newest entry of a community that no line of the bank is yet."""

TILLS: dict[int, int] = {}
"""Where the newest consent's money lies."""

API = "<int(min=1, max=9223372036854775807):"


def nothing(_world: World) -> dict[str, Any]:
    """No body."""
    return {}


def made_fund(session: Session, world: World) -> Fund:
    """A fund of the world's community."""
    return funds.open_fund(
        session,
        world.community.id,
        code=f"deed{next(NUMBERS)}",
        name="爱心基金",
        owner=Owner.OWN,
        purposes=[Purpose.ANY],
        actor=SYSTEM,
        now=clock.now(session),
    )


def gift(session: Session, world: World) -> Entry:
    """A gift into a till of the community."""
    now, fund = clock.now(session), made_fund(session, world)
    known = select(Holding).where(Holding.community_id == world.community.id, Holding.code == "deedtill")
    till = session.scalars(known).one_or_none() or funds.add_holding(
        session, world.community.id, kind=HoldingKind.TILL, code="deedtill", name="钱箱", actor=SYSTEM, now=now
    )
    draft = Draft(world.community.id, EntryKind.GIFT, at(Dimension(fund.id), till.id, 5_000))
    return funds.post(session, draft, actor=SYSTEM, now=now)


def fund(session: Session, world: World, _user_id: int) -> str:
    """A fund."""
    return str(made_fund(session, world).id)


def entry(session: Session, world: World, _user_id: int) -> str:
    """An entry."""
    return str(gift(session, world).id)


def receipt(session: Session, world: World, _user_id: int) -> str:
    """A receipt."""
    made = gift(session, world)
    return str(funds.issue_receipt(session, made.id, actor=SYSTEM, now=clock.now(session)).id)


def imported(session: Session, world: World) -> BankStatement:
    """A month of a new bank account with one line that the journal has not, and one entry that the bank has not."""
    now, code = clock.now(session), f"deedbank{next(NUMBERS)}"
    bank = funds.add_holding(
        session, world.community.id, kind=HoldingKind.BANK, code=code, name="基本户", actor=SYSTEM, now=now
    )
    month = (clock.today(now).replace(day=1) - timedelta(days=1)).replace(day=1)
    new = funds.NewStatement(bank.id, month, 0, 500, f"日期,金额\n{month},5.00".encode())
    made = funds.import_statement(session, new, actor=SYSTEM, now=now)
    lines = at(Dimension(made_fund(session, world).id), bank.id, 500)
    gift = Draft(world.community.id, EntryKind.GIFT, lines, happened_on=month)
    OPEN_ENTRIES[world.community.id] = funds.post(session, gift, actor=SYSTEM, now=now).id
    return made


def statement(session: Session, world: World, _user_id: int) -> str:
    """A month of the bank."""
    return str(imported(session, world).id)


def line(session: Session, world: World, _user_id: int) -> str:
    """A line that is no entry yet."""
    return line_of(session, imported(session, world))


def line_of(session: Session, made: BankStatement) -> str:
    """The only line of a month."""
    return str(funds.view_statement(session, made.id, actor=SYSTEM).lines[0].line.id)


def matched(session: Session, world: World, _user_id: int) -> str:
    """A line that is an entry."""
    line_id = line_of(session, imported(session, world))
    entry_id = OPEN_ENTRIES[world.community.id]
    funds.match_entries(session, int(line_id), [entry_id], actor=SYSTEM, now=clock.now(session))
    return line_id


def asked(session: Session, world: World, user_id: int) -> str:
    """Spending that somebody else asked for, or, for a user, that they did themselves."""
    actor = replace(SYSTEM, user_id=user_id) if user_id else SYSTEM
    paid = gift(session, world)
    about = next(one.account for one in funds.lines_of(session, paid.id) if not one.account.is_custody)
    booking = Booking(
        EntryKind.SPEND,
        about.dimension.fund_id,
        about.holding_id or 0,
        amount_fen=100,
        purpose=Purpose.RUNNING,
    )
    return str(funds.ask_spending(session, booking, actor=actor, now=clock.now(session)).id)


def asked_by_another(session: Session, world: World, _user_id: int) -> str:
    """Spending that somebody else asked for."""
    return asked(session, world, 0)


def consent(session: Session, world: World, _user_id: int) -> str:
    """A consent to take 10 yuan of a gift to a wish, recorded by a person."""
    given = next(one.account for one in funds.lines_of(session, gift(session, world).id) if not one.account.is_custody)
    fund_id, now = given.dimension.fund_id, clock.now(session)
    purposes = [Purpose.RELIEF]
    target = funds.add_earmark(
        session, session.get_one(Fund, fund_id), name="救灾", purposes=purposes, actor=SYSTEM, now=now
    )
    draft = funds.NewConsent(
        funds.Wish(fund_id), funds.Wish(fund_id, target.id), 1_000, "陈桂花", clock.today(now), "收据背面"
    )
    recorder = replace(SYSTEM, user_id=user(session).id)
    TILLS[world.community.id] = given.holding_id or 0
    return str(funds.record_consent(session, world.community.id, draft, actor=recorder, now=now).id)


SPENDING = f"/funds/spendings/{ID}spending_id>"
FUND_DEEDS: dict[tuple[str, str], Row] = {
    ("GET", f"/funds/{ID}fund_id>"): (fund, 200, nothing),
    ("GET", f"/funds/entries/{ID}entry_id>"): (entry, 200, nothing),
    ("POST", f"/funds/entries/{ID}entry_id>/reverse"): (entry, 303, lambda _: {"words": "重复登记"}),
    ("POST", f"/funds/entries/{ID}entry_id>/receipt"): (entry, 303, lambda _: {"received_from": "陈桂花"}),
    ("GET", f"/funds/receipts/{ID}receipt_id>"): (receipt, 200, nothing),
    ("GET", f"/funds/bank/{ID}statement_id>"): (statement, 200, nothing),
    ("POST", f"/funds/bank/{ID}statement_id>/confirm"): (statement, 303, lambda _: {"note": "在途"}),
    ("GET", SPENDING): (asked, 200, nothing),
    ("POST", f"{SPENDING}/approve"): (asked_by_another, 303, nothing),
    ("POST", f"{SPENDING}/refuse"): (asked_by_another, 303, lambda _: {"reason": "没有发票"}),
    ("POST", f"{SPENDING}/withdraw"): (asked, 303, nothing),
    ("GET", f"/funds/{ID}fund_id>/wishes/new"): (fund, 200, nothing),
    ("POST", f"/funds/{ID}fund_id>/wishes/new"): (fund, 303, lambda _: {"name": "救灾", "purposes": "relief"}),
    ("GET", f"/funds/consents/{ID}consent_id>"): (consent, 200, nothing),
    ("POST", f"/funds/consents/{ID}consent_id>/change"): (
        consent,
        303,
        lambda world: {"holding_id": str(TILLS[world.community.id])},
    ),
    ("GET", f"/funds/bank/lines/{ID}line_id>"): (line, 200, nothing),
    ("POST", f"/funds/bank/lines/{ID}line_id>/entries"): (
        line,
        303,
        lambda world: {"entry_ids": str(OPEN_ENTRIES[world.community.id])},
    ),
    ("POST", f"/funds/bank/lines/{ID}line_id>/undo"): (matched, 303, lambda _: {"reason": "不是这一笔"}),
    ("POST", f"/funds/receipts/{ID}receipt_id>/void"): (receipt, 303, lambda _: {"reason": "姓名写错"}),
    ("GET", f"/api/funds/{API}fund_id>/wishes"): (fund, 200, nothing),
    ("POST", f"/api/funds/{API}fund_id>/wishes"): (fund, 201, lambda _: {"name": "救灾", "purposes": ["relief"]}),
    ("GET", f"/api/funds/{API}fund_id>/balances"): (fund, 200, nothing),
    ("GET", f"/api/journal/{API}journal_entry_id>"): (entry, 200, nothing),
    ("POST", f"/api/journal/{API}journal_entry_id>/reversal"): (entry, 201, lambda _: {"words": "重复登记"}),
    ("POST", f"/api/journal/{API}journal_entry_id>/reversal-request"): (entry, 201, lambda _: {"words": "重复登记"}),
    ("POST", f"/api/journal/{API}journal_entry_id>/receipt"): (entry, 201, nothing),
    ("GET", f"/api/receipts/{API}receipt_id>"): (receipt, 200, nothing),
    ("POST", f"/api/receipts/{API}receipt_id>/void"): (receipt, 200, lambda _: {"reason": "姓名写错"}),
    ("POST", f"/api/consents/{API}consent_id>/change"): (
        consent,
        201,
        lambda world: {"holding_id": TILLS[world.community.id]},
    ),
    ("GET", f"/api/spendings/{API}spending_id>"): (asked, 200, nothing),
    ("DELETE", f"/api/spendings/{API}spending_id>"): (asked_by_another, 403, nothing),
    ("GET", f"/api/bank-statements/{API}statement_id>"): (statement, 200, nothing),
    ("POST", f"/api/bank-lines/{API}bank_line_id>/entries"): (
        line,
        200,
        lambda world: {"entry_ids": [OPEN_ENTRIES[world.community.id]]},
    ),
    ("POST", f"/api/bank-lines/{API}bank_line_id>/undoing"): (matched, 200, lambda _: {"reason": "不是这一笔"}),
}
