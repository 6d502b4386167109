"""The paper card of a voucher: printed once with its code, replaced when lost, taken back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, NotFound
from dispatch.models.care import Voucher, VoucherCard
from dispatch.rules.access.roles import Actor
from dispatch.rules.access.tokens import spoken
from dispatch.rules.care.vouchers import CardEnd, VoucherState, printed
from dispatch.services.access import audit, tokens
from dispatch.services.access.reach import visible
from dispatch.services.care.vouchers.finding import CardOver, find_voucher


class HasCard(Conflict):
    """已有一张有效的卡；丢失请办挂失补卡"""


class NoCard(Conflict):
    """这张服务券现在不能发卡（没有批准、已冻结或已到期）"""


@dataclass(frozen=True, slots=True)
class PaperCard:
    """A card as it is printed, once: the text of its QR and the code in groups; neither is kept."""

    card: VoucherCard
    voucher: Voucher
    qr: str
    code: str


def issue_card(
    session: Session, voucher_id: int, *, token: str | None = None, actor: Actor, now: datetime
) -> PaperCard:
    """Print the first card, or one after the last was taken back; raises NotFound, NoCard, HasCard.

    `token` is for a demo, whose tokens are derived from its secret.
    """
    voucher = open_voucher(session, voucher_id, actor=actor)
    if good_card(session, voucher.id) is not None:
        raise HasCard
    return make_card(session, voucher, None, token=token, actor=actor, now=now)


def replace_card(session: Session, card_id: int, *, actor: Actor, now: datetime) -> PaperCard:
    """A lost card opens nothing from now on, and its replacement is printed; raises NotFound, NoCard, CardOver."""
    before = find_card(session, card_id, actor=actor)
    voucher = open_voucher(session, before.voucher_id, actor=actor)
    finish(session, before, CardEnd.LOST, actor=actor, now=now)
    return make_card(session, voucher, before, actor=actor, now=now)


def revoke_card(session: Session, card_id: int, *, actor: Actor, now: datetime) -> VoucherCard:
    """Take a card back; raises NotFound, CardOver."""
    card = find_card(session, card_id, actor=actor)
    find_voucher(session, card.voucher_id, actor=actor, locked=True)
    finish(session, card, CardEnd.REVOKED, actor=actor, now=now)
    return card


def open_voucher(session: Session, voucher_id: int, *, actor: Actor) -> Voucher:
    """A voucher that may have a card, locked, so that nobody takes of it meanwhile; raises NotFound, NoCard."""
    voucher = find_voucher(session, voucher_id, actor=actor, locked=True)
    if voucher.state != VoucherState.OPEN:
        raise NoCard
    return voucher


def find_card(session: Session, card_id: int, *, actor: Actor) -> VoucherCard:
    """A card in reach; raises NotFound."""
    query = select(VoucherCard).where(VoucherCard.id == card_id, visible(VoucherCard, actor))
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def good_card(session: Session, voucher_id: int) -> VoucherCard | None:
    """The card of a voucher that has not ended."""
    query = select(VoucherCard).where(VoucherCard.voucher_id == voucher_id, VoucherCard.ended_at.is_(None))
    return session.scalars(query).one_or_none()


def finish(session: Session, card: VoucherCard, end: CardEnd, *, actor: Actor, now: datetime) -> None:
    """End a card whose voucher is locked; raises CardOver where it has ended."""
    session.refresh(card)
    if card.ended_at is not None:
        raise CardOver
    card.ended_at, card.ended_as, card.ended_by = now, str(end), actor.user_id
    session.flush()
    note(session, "end_voucher_card", card, actor=actor)


def make_card(
    session: Session,
    voucher: Voucher,
    before: VoucherCard | None,
    *,
    token: str | None = None,
    actor: Actor,
    now: datetime,
) -> PaperCard:
    """A new card; what is printed of it leaves here and nowhere else."""
    token = token or tokens.new_token()
    card = VoucherCard(
        community_id=voucher.community_id,
        voucher_id=voucher.id,
        token_hash=tokens.hash_of(token),
        issued_by=actor.user_id,
        issued_at=now,
        replaces_id=None if before is None else before.id,
    )
    session.add(card)
    session.flush()
    note(session, "issue_voucher_card", card, actor=actor)
    return PaperCard(card, voucher, printed(token), spoken(token))


def note(session: Session, deed: str, card: VoucherCard, *, actor: Actor) -> None:
    """The audit entry."""
    audit.record(session, f"care.{deed}", "voucher_cards", card.id, actor=actor, community_id=card.community_id)
