"""What can be asked of a voucher, its list, cards, redemptions and settlements: maker, right answer, right body."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import Programme, Voucher
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.services.care import vouchers
from tests.factories.funds import give, make_treasury
from tests.factories.market import person
from tests.factories.visits import resident
from tests.factories.vouchers import Purses, ask, enrol, firm_actor, taking
from tests.factories.world import NUMBERS, World

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]


def purses(session: Session, world: World, asker_id: int = 0) -> Purses:
    """A new person who is enrolled, money in the fund, who works with it; `asker_id` asks where it is given."""
    elder = resident(session, world, birth_date=date(1945, 1, 1))
    known = select(Programme.id).where(Programme.community_id == world.community.id, Programme.kind == "voucher")
    enrol(session, world, (elder,), programme_id=session.scalars(known).one_or_none())
    mark = f"v{next(NUMBERS)}"
    treasury = make_treasury(session, world.community.id, mark)
    give(session, treasury, 100_000, holding=treasury.bank)
    welfare = person(session, world, Role.WELFARE)
    if asker_id:
        welfare = replace(welfare, user_id=asker_id)
    firm = firm_actor(session, world, world.firms[0].id)
    return Purses(world, treasury, (elder,), welfare, person(session, world, Role.CENTRE), (firm,))


def granted(session: Session, world: World, asker_id: int = 0) -> tuple[Purses, Voucher]:
    """A voucher that is open."""
    here = purses(session, world, asker_id)
    made = ask(session, here)
    vouchers.approve_grant(session, made.id, actor=here.centre, now=clock.now(session))
    return here, session.scalars(select(Voucher).where(Voucher.grant_id == made.id)).one()


def asked_list(session: Session, world: World, _user_id: int) -> str:
    """A list that somebody else asked for."""
    return str(ask(session, purses(session, world)).id)


def own_list(session: Session, world: World, user_id: int) -> str:
    """A list that the asker has asked for."""
    return str(ask(session, purses(session, world, user_id)).id)


def voucher(session: Session, world: World, _user_id: int) -> str:
    """An open voucher."""
    return str(granted(session, world)[1].id)


def frozen(session: Session, world: World, _user_id: int) -> str:
    """One of which nothing is taken any more."""
    here, made = granted(session, world)
    return str(vouchers.freeze_voucher(session, made.id, actor=here.welfare, now=clock.now(session)).id)


def card(session: Session, world: World, _user_id: int) -> str:
    """A good card."""
    here, made = granted(session, world)
    return str(vouchers.issue_card(session, made.id, actor=here.welfare, now=clock.now(session)).card.id)


def taken(session: Session, world: World, asker_id: int = 0) -> tuple[Purses, int]:
    """What a firm took."""
    here, made = granted(session, world, asker_id)
    code = vouchers.issue_card(session, made.id, actor=here.welfare, now=clock.now(session)).code
    return here, taking(session, here.firms[0], code)(5_000).id


def redemption(session: Session, world: World, _user_id: int) -> str:
    """A redemption."""
    return str(taken(session, world)[1])


def own_refund(session: Session, world: World, user_id: int) -> str:
    """A redemption that is to be taken back, as the asker asked."""
    here, made = taken(session, world, user_id)
    now = clock.now(session)
    return str(vouchers.ask_refund(session, made, words="没有做", actor=here.welfare, now=now).id)


def refund(session: Session, world: World, _user_id: int) -> str:
    """One that somebody else asked for."""
    return own_refund(session, world, 0)


def settlement(session: Session, world: World, _user_id: int) -> str:
    """A month of a firm, asked to be paid."""
    taken(session, world)
    now = clock.now(session)
    month, later = f"{clock.today(now):%Y-%m}", now + timedelta(days=32)
    made = vouchers.settle_month(session, world.community.id, month, actor=SYSTEM, now=later)
    return str(made[0].id)


def nothing(_world: World) -> dict[str, Any]:
    """No body."""
    return {}


def reason(_world: World) -> dict[str, Any]:
    """Why not."""
    return {"reason": "名单不对"}


ID = "<int(min=1, max=9223372036854775807):{}_id>"
GRANT, CARD = f"/vouchers/grants/{ID.format('grant')}", f"/vouchers/cards/{ID.format('card')}"
VOUCHER, REFUND = f"/vouchers/{ID.format('voucher')}", f"/vouchers/refunds/{ID.format('refund')}"
SETTLEMENT = f"/vouchers/settlements/{ID.format('settlement')}"
API_VOUCHER, API_CARD = f"/api{VOUCHER}", f"/api/voucher-cards/{ID.format('voucher_card')}"
API_GRANT, API_REFUND = (
    f"/api/voucher-grants/{ID.format('voucher_grant')}",
    f"/api/voucher-refunds/{ID.format('voucher_refund')}",
)
API_SETTLEMENT = f"/api/voucher-settlements/{ID.format('voucher_settlement')}"
VOUCHER_DEEDS: dict[tuple[str, str], Row] = {
    ("GET", GRANT): (asked_list, 200, nothing),
    ("POST", f"{GRANT}/approve"): (asked_list, 303, nothing),
    ("POST", f"{GRANT}/refuse"): (asked_list, 303, reason),
    ("POST", f"{GRANT}/withdraw"): (own_list, 303, nothing),
    ("GET", VOUCHER): (voucher, 200, nothing),
    ("POST", f"{VOUCHER}/cards"): (voucher, 200, nothing),
    ("POST", f"{VOUCHER}/freezing"): (voucher, 303, nothing),
    ("POST", f"{VOUCHER}/thawing"): (frozen, 303, nothing),
    ("POST", f"{CARD}/replacement"): (card, 200, nothing),
    ("POST", f"{CARD}/revocation"): (card, 303, nothing),
    ("POST", f"/vouchers/redemptions/{ID.format('redemption')}/refund"): (redemption, 303, lambda _: {"words": "没做"}),
    ("POST", f"{REFUND}/approve"): (refund, 303, nothing),
    ("POST", f"{REFUND}/refuse"): (refund, 303, reason),
    ("POST", f"{REFUND}/withdraw"): (own_refund, 303, nothing),
    ("GET", SETTLEMENT): (settlement, 200, nothing),
    ("GET", f"{SETTLEMENT}/statement.csv"): (settlement, 200, nothing),
    ("GET", API_VOUCHER): (voucher, 200, nothing),
    ("POST", f"{API_VOUCHER}/cards"): (voucher, 201, nothing),
    ("POST", f"{API_VOUCHER}/freezing"): (voucher, 200, nothing),
    ("POST", f"{API_VOUCHER}/thawing"): (frozen, 200, nothing),
    ("POST", f"{API_CARD}/replacement"): (card, 201, nothing),
    ("DELETE", API_CARD): (card, 200, nothing),
    ("GET", API_GRANT): (asked_list, 200, nothing),
    ("DELETE", API_GRANT): (asked_list, 403, nothing),
    ("POST", f"/api/voucher-redemptions/{ID.format('redemption')}/refund-request"): (
        redemption,
        201,
        lambda _: {"words": "没做"},
    ),
    ("DELETE", API_REFUND): (refund, 403, nothing),
    ("GET", API_SETTLEMENT): (settlement, 200, nothing),
}
