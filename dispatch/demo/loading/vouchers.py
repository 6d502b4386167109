"""A chunk of the load: ten persons with 500 yuan each, a card for each, of which two firms have taken some."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.demo.loading.book import Book
from dispatch.demo.organisations import COMMUNITY
from dispatch.models.care import Enrolment, Programme, Voucher
from dispatch.models.funds import Fund, Holding
from dispatch.rules.access.roles import EVERYTHING, Actor, ActorKind, Role, rights_of
from dispatch.rules.care.terms import Programme as Kind
from dispatch.rules.care.vouchers import FEN_OF_A_VOUCHER, last_day
from dispatch.services.access import policies
from dispatch.services.care import vouchers
from dispatch.services.care.vouchers import NewGrant, NewRedemption

FUND, HOLDING = "general", "bank"
ASKER, APPROVER = "welfare1", "centre1"
TAKEN: Final = (
    (0, "firm1", 12_000, "家庭保洁 3 小时"),
    (0, "firm2", 3_000, "送餐 2 天"),
    (1, "firm2", 7_500, "送餐 5 天"),
    (2, "firm1", 8_000, "擦窗"),
    (4, "firm1", 16_050, "陪诊半天"),
    (4, "firm2", 7_500, "送餐 5 天"),
    (7, "firm1", 50_000, "换季大扫除"),
)
"""Which voucher, which firm by its log-in, fen, for what."""
WRONG: Final = (3, "窗没有擦完，老人不满意")
"""Which of them is to be taken back, and why; it waits for another to decide."""


def load_vouchers(session: Session, book: Book) -> int:
    """The list, its accounts and cards, what was taken; 0 when they are there."""
    community_id = book.known(session).organisations()[COMMUNITY]
    if session.scalars(select(Voucher.id).where(Voucher.community_id == community_id).limit(1)).first() is not None:
        return 0
    asker, approver = (
        staff_of(session, book, login, role) for login, role in ((ASKER, Role.WELFARE), (APPROVER, Role.CENTRE))
    )
    now = clock.now(session)
    made = vouchers.ask_grant(session, wanted(session, community_id), actor=asker, now=now)
    vouchers.approve_grant(session, made.id, actor=approver, now=now)
    ids = session.scalars(select(Voucher.id).where(Voucher.grant_id == made.id).order_by(Voucher.number)).all()
    for number, voucher_id in enumerate(ids):
        vouchers.issue_card(session, voucher_id, token=book.secrets.voucher_token(number), actor=asker, now=now)
    taken = [take(session, book, row) for row in TAKEN]
    number, words = WRONG
    vouchers.ask_refund(session, taken[number], words=words, actor=asker, now=now)
    return len(ids) + len(taken)


def staff_of(session: Session, book: Book, login: str, role: Role) -> Actor:
    """Somebody of the staff, as they act when logged in."""
    user_id = book.known(session).users()[login]
    return Actor(ActorKind.OPERATOR, user_id, roles=frozenset({role}), rights=rights_of([role]), scope=EVERYTHING)


def wanted(session: Session, community_id: int) -> NewGrant:
    """Everybody of the programme with 500 yuan, from the own fund, for as many months as the policy says."""
    today = clock.today(clock.now(session))
    people = session.scalars(
        select(Enrolment.resident_id)
        .join(Programme, Programme.id == Enrolment.programme_id)
        .where(Enrolment.community_id == community_id, Programme.kind == str(Kind.VOUCHER))
    )
    fund = select(Fund.id).where(Fund.community_id == community_id, Fund.code == FUND)
    holding = select(Holding.id).where(Holding.community_id == community_id, Holding.code == HOLDING)
    return NewGrant(
        today.year,
        session.scalars(fund).one(),
        session.scalars(holding).one(),
        FEN_OF_A_VOUCHER,
        last_day(today, int(policies.policy(session, community_id, "care.voucher_months"))),
        tuple(one for one in people if one is not None),
    )


def take(session: Session, book: Book, row: tuple[int, str, int, str]) -> int:
    """What a firm takes of the n-th voucher, by its card."""
    number, login, fen, what = row
    code = next(one.code for one in book.community.firms if one.login == login)
    firm = Actor(ActorKind.PERFORMER, performer_id=book.known(session).performers()[code], scope=EVERYTHING)
    wanted = NewRedemption(book.secrets.voucher_token(number), fen, what)
    return vouchers.redeem(session, wanted, actor=firm, now=clock.now(session)).id
