"""Chunk of the load: forty who are given something, each with evidence, approved by the centre, with a love card."""

from io import BytesIO

from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.demo.loading.book import Book
from dispatch.demo.people import Resident
from dispatch.models.market import Beneficiary
from dispatch.rules.access.roles import EVERYTHING, Actor, ActorKind, Role, rights_of
from dispatch.rules.market.cards import read_card
from dispatch.rules.market.eligibility import OF_HOUSEHOLDS, Ground
from dispatch.services.market import applications, cards
from dispatch.services.market.applications import AidDraft

APPROVER = "centre1"
# ground, how many, in words why
GROUNDS = (
    (Ground.LONE_ELDER, 14, "七十岁以上独居,没有子女和收入"),
    (Ground.SERIOUS_ILLNESS, 12, "长期治疗,自付费用超过家庭收入"),
    (Ground.SEVERE_DISABILITY, 10, "重度残疾,没有工作"),
    (Ground.SUDDEN_HARDSHIP, 4, "家中失火,生活暂时困难"),
)


def load_beneficiaries(session: Session, book: Book) -> int:
    """The applications with their decisions and cards; 0 when there are some."""
    if session.scalars(select(Beneficiary.id).limit(1)).first() is not None:
        return 0
    known = book.known(session)
    residents, homes = known.residents(), known.households()
    approver = Actor(
        kind=ActorKind.CENTRE,
        user_id=known.users()[APPROVER],
        roles=frozenset({Role.CENTRE}),
        rights=rights_of([Role.CENTRE]),
        scope=EVERYTHING,
    )
    for number, (ground, words, one) in enumerate(chosen(book)):
        whole = ground in OF_HOUSEHOLDS
        draft = AidDraft(
            ground,
            words,
            resident_id=None if whole else residents[one.code],
            household_id=homes[one.household_code] if whole else None,
        )
        made = applications.apply(session, draft, evidence=[paper()], actor=book.actor, now=book.now)
        applications.approve(session, made, actor=approver, now=book.now)
        token = read_card(book.secrets.card_token(number)).token
        cards.issue(session, made.beneficiary_id, token=token, actor=book.actor, now=book.now)
    return sum(count for _, count, _ in GROUNDS)


def chosen(book: Book) -> list[tuple[Ground, str, Resident]]:
    """Who, on which ground: elders who live alone first, then the heads of other households, by code."""
    people = sorted(book.community.register.residents, key=lambda one: one.code)
    alone = [one for one in people if one.lives_alone]
    others = [one for one in people if not one.lives_alone and one.relation == people[0].relation]
    found: list[tuple[Ground, str, Resident]] = []
    for ground, count, words in GROUNDS:
        source = alone if ground is Ground.LONE_ELDER else others
        found += [(ground, words, source.pop(0)) for _ in range(count)]
    return found


def paper() -> bytes:
    """A made-up paper: a white page."""
    target = BytesIO()
    Image.new("L", (105, 148), "white").save(target, "PNG")
    return target.getvalue()
