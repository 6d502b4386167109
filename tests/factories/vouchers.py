"""A community with vouchers: a fund with money at the bank, persons who are enrolled, who asks, approves, redeems."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import Enrolment, Programme, Voucher, VoucherGrant, VoucherRedemption
from dispatch.models.grid import Resident
from dispatch.rules.access.roles import Actor, ActorKind, Right, Role
from dispatch.rules.care.vouchers import FEN_OF_A_VOUCHER
from dispatch.services.care import vouchers
from dispatch.services.care.vouchers import NewGrant, NewRedemption
from tests.factories.funds import Treasury, give, make_treasury
from tests.factories.market import person
from tests.factories.visits import resident
from tests.factories.world import World, make_world

LAST_DAYS = 300


@dataclass(frozen=True, slots=True)
class Purses:
    """What tests of vouchers speak of: three persons, who works with their vouchers, two firms, the fund."""

    world: World
    treasury: Treasury
    elders: tuple[Resident, ...]
    welfare: Actor
    centre: Actor
    firms: tuple[Actor, ...]


def make_purses(session: Session, world: World | None = None, *, fen: int = 1_000_000, people: int = 3) -> Purses:
    """Make it; `fen` lie at the bank of the general fund."""
    world = world or make_world(session)
    treasury = make_treasury(session, world.community.id)
    give(session, treasury, fen, holding=treasury.bank)
    elders = tuple(resident(session, world, birth_date=date(1945, 1, 1)) for _ in range(people))
    enrol(session, world, elders)
    return Purses(
        world,
        treasury,
        elders,
        person(session, world, Role.WELFARE),
        person(session, world, Role.CENTRE),
        tuple(firm_actor(session, world, one.id) for one in world.firms[:2]),
    )


def enrol(session: Session, world: World, elders: tuple[Resident, ...], *, programme_id: int | None = None) -> None:
    """Enrol them for vouchers from today on; the programme is made where there is none."""
    today = clock.today(clock.now(session))
    if programme_id is None:
        programme = Programme(community_id=world.community.id, kind="voucher", places=100, empty_nest=False)
        session.add(programme)
        session.flush()
        programme_id = programme.id
    session.add_all(
        Enrolment(
            uid=uuid4(),
            community_id=world.community.id,
            programme_id=programme_id,
            resident_id=one.id,
            starts_on=today,
            checked_on=today,
        )
        for one in elders
    )
    session.flush()


def firm_actor(session: Session, world: World, performer_id: int) -> Actor:
    """Somebody of a firm, logged in."""
    plain = person(session, world, Role.PERFORMER)
    return replace(plain, kind=ActorKind.PERFORMER, performer_id=performer_id, rights=frozenset({Right.ORDERS_WORK}))


def ask(session: Session, purses: Purses, **changes: object) -> VoucherGrant:
    """The list of all persons with 500 yuan each, asked for."""
    now = clock.now(session)
    today = clock.today(now)
    wanted = NewGrant(
        today.year,
        purses.treasury.general.id,
        purses.treasury.bank.id,
        FEN_OF_A_VOUCHER,
        today + timedelta(days=LAST_DAYS),
        tuple(one.id for one in purses.elders),
    )
    return vouchers.ask_grant(session, replace(wanted, **changes), actor=purses.welfare, now=now)  # type: ignore[arg-type]


def grant(session: Session, purses: Purses, **changes: object) -> list[Voucher]:
    """The vouchers of all persons, granted, in the order of the persons."""
    made = ask(session, purses, **changes)
    vouchers.approve_grant(session, made.id, actor=purses.centre, now=clock.now(session))
    query = select(Voucher).where(Voucher.grant_id == made.id).order_by(Voucher.resident_id)
    return list(session.scalars(query))


def code_of(session: Session, purses: Purses, voucher: Voucher) -> str:
    """The code of a new card."""
    return vouchers.issue_card(session, voucher.id, actor=purses.welfare, now=clock.now(session)).code


def taking(session: Session, firm: Actor, code: str) -> Callable[..., VoucherRedemption]:
    """A firm that takes fen of a card."""

    def take(fen: int, **changes: object) -> VoucherRedemption:
        wanted = replace(NewRedemption(code, fen, "理发"), **changes)  # type: ignore[arg-type]
        return vouchers.redeem(session, wanted, actor=firm, now=clock.now(session))

    return take
