"""Love cards (爱心卡): issued once in print, known by the hash of their token, lost, replaced, revoked, looked up."""

import base64
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, NotFound
from dispatch.models.market.people import AidApplication, Beneficiary, Card
from dispatch.rules.access.roles import Actor
from dispatch.rules.access.tokens import spoken
from dispatch.rules.market import cards as rule
from dispatch.rules.market.cards import CardEnd
from dispatch.rules.market.eligibility import Standing, is_valid
from dispatch.services.access import audit, reach, tokens, vault

COORDINATE_BYTES = 32
SIGNING = "market.card"
CURVE = ec.SECP256R1()
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The number of points of P-256 (FIPS 186-5): a private key is below it."""
ONE_NUMBER = text("SELECT pg_advisory_xact_lock(hashtext('market.card'), cast(:community AS bigint)::integer)")


class NotEligible(Conflict):
    """资格没有批准或已经到期,不能发卡"""


class HasCard(Conflict):
    """已有一张有效的爱心卡;丢失请办挂失补卡"""


class CardOver(Conflict):
    """这张卡已经挂失或收回"""


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card as it is printed, once: the text of its QR and the token in groups; neither is kept."""

    card: Card
    qr: str
    token: str


def issue(session: Session, beneficiary_id: int, *, token: str | None = None, actor: Actor, now: datetime) -> NewCard:
    """Issue the first card, or one after the last was revoked; raises NotFound, NotEligible, HasCard.

    `token` is for a demo, whose tokens are derived from its secret; everywhere else it is made of random bits.
    """
    beneficiary = find_beneficiary(session, beneficiary_id, actor=actor, locked=True)
    check_eligible(session, beneficiary, now=now)
    if good_card(session, beneficiary.id) is not None:
        raise HasCard
    return make(session, beneficiary, None, token=token, actor=actor, now=now)


def replace(session: Session, card_id: int, *, actor: Actor, now: datetime) -> NewCard:
    """A lost card is dead from now on, and its replacement is issued; raises NotFound, CardOver, NotEligible."""
    card = find(session, card_id, actor=actor, locked=True)
    beneficiary = find_beneficiary(session, card.beneficiary_id, actor=actor, locked=True)
    check_eligible(session, beneficiary, now=now)
    finish(session, card, CardEnd.LOST, actor=actor, now=now)
    return make(session, beneficiary, card, actor=actor, now=now)


def revoke(session: Session, card_id: int, *, actor: Actor, now: datetime) -> Card:
    """Take a card back: it opens nothing any more; raises NotFound, CardOver."""
    card = find(session, card_id, actor=actor, locked=True)
    finish(session, card, CardEnd.REVOKED, actor=actor, now=now)
    return card


def end_of(session: Session, beneficiary_id: int, *, actor: Actor, now: datetime) -> None:
    """The card of somebody whose time is over."""
    card = good_card(session, beneficiary_id)
    if card is not None:
        finish(session, card, CardEnd.OVER, actor=actor, now=now)


def finish(session: Session, card: Card, end: CardEnd, *, actor: Actor, now: datetime) -> None:
    """End a locked card; raises CardOver."""
    if card.ended_at is not None:
        raise CardOver
    card.ended_at, card.ended_as = now, str(end)
    card.ended_by, card.ended_by_key = actor.user_id, actor.key_alone
    session.flush()
    note(session, card, "end_card", actor=actor, fields={"ended_as": str(end)})


def make(
    session: Session,
    beneficiary: Beneficiary,
    before: Card | None,
    *,
    token: str | None = None,
    actor: Actor,
    now: datetime,
) -> NewCard:
    """A new card with the community's next number; what is printed of it leaves here and nowhere else."""
    session.execute(ONE_NUMBER, {"community": beneficiary.community_id % 2**31})
    last = session.scalars(select(func.max(Card.number)).where(Card.community_id == beneficiary.community_id)).one()
    token = token or tokens.new_token()
    card = Card(
        community_id=beneficiary.community_id,
        beneficiary_id=beneficiary.id,
        number=(last or 0) + 1,
        token_hash=tokens.hash_of(token),
        issued_by=actor.user_id,
        issued_by_key=actor.key_alone,
        issued_at=now,
        replaces_id=before.id if before is not None else None,
    )
    try:
        with session.begin_nested():
            session.add(card)
    except IntegrityError as error:
        raise NotEligible from error
    note(session, card, "issue_card", actor=actor)
    day = clock.today(now)
    signature = sign(rule.signed_part(token, day))
    return NewCard(card, rule.printed(token, day, signature), spoken(token))


def check_eligible(session: Session, beneficiary: Beneficiary, *, now: datetime) -> None:
    """Whether an approval holds today; raises NotEligible."""
    found = approval_of(session, beneficiary.id)
    today = clock.today(now)
    if found is None or not is_valid(Standing(found.standing), found.valid_from, found.valid_until, today):
        raise NotEligible


def approval_of(session: Session, beneficiary_id: int) -> AidApplication | None:
    """The approved application of a beneficiary, whether or not its days hold."""
    return session.scalars(
        select(AidApplication).where(
            AidApplication.beneficiary_id == beneficiary_id, AidApplication.standing == str(Standing.APPROVED)
        )
    ).one_or_none()


def good_card(session: Session, beneficiary_id: int) -> Card | None:
    """The card that has not ended, locked."""
    return session.scalars(
        select(Card).where(Card.beneficiary_id == beneficiary_id, Card.ended_at.is_(None)).with_for_update()
    ).one_or_none()


def find(session: Session, card_id: int, *, actor: Actor, locked: bool = False) -> Card:
    """A card in reach; raises NotFound."""
    query = select(Card).where(Card.id == card_id, reach.visible(Card, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def find_beneficiary(session: Session, beneficiary_id: int, *, actor: Actor, locked: bool = False) -> Beneficiary:
    """A beneficiary in reach; raises NotFound."""
    query = select(Beneficiary).where(Beneficiary.id == beneficiary_id, reach.visible(Beneficiary, actor))
    if locked:
        query = query.with_for_update()
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def signing_key() -> ec.EllipticCurvePrivateKey:
    """The installation's key for cards (P-256), out of its secret."""
    number = int.from_bytes(vault.sign(SIGNING, b"private key")) % (ORDER - 1) + 1
    return ec.derive_private_key(number, CURVE)


def sign(said: str) -> bytes:
    """The signature of a text, r and s (64 bytes), as a browser checks it."""
    r, s = decode_dss_signature(signing_key().sign(said.encode(), ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(COORDINATE_BYTES) + s.to_bytes(COORDINATE_BYTES)


def public_key() -> dict[str, str]:
    """The public key as a JSON web key (RFC 7517), for the page that checks a card without a network."""
    point = signing_key().public_key().public_numbers()

    def letters(number: int) -> str:
        return base64.urlsafe_b64encode(number.to_bytes(COORDINATE_BYTES)).rstrip(b"=").decode()

    return {"kty": "EC", "crv": "P-256", "x": letters(point.x), "y": letters(point.y)}


def note(session: Session, card: Card, deed: str, *, actor: Actor, fields: dict[str, str] | None = None) -> None:
    """The audit entry."""
    audit.record(
        session, f"market.{deed}", "cards", card.id, actor=actor, community_id=card.community_id, fields=fields or {}
    )
