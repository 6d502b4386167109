"""Another wish for what was given: only with the donor's consent, recorded by one person, done by another."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotAllowed, NotFound
from dispatch.models.funds import Consent, Earmark, Entry, Fund
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.claims import EarmarkKind
from dispatch.rules.funds.draft import MOST, Dimension, Draft, at
from dispatch.rules.funds.terms import Commodity, EntryKind
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import audit, reach, vault
from dispatch.services.funds.post import post

LONGEST_NAME = 60
LONGEST_EVIDENCE = 200


class ConsentUsed(Conflict):
    """这份同意书已经用过了，请登记新的"""


class OwnConsent(NotAllowed):
    """登记同意书的人不能自己变更，请另一位来做"""


@dataclass(frozen=True, slots=True)
class Wish:
    """A fund and, within it, a giver's wish or none."""

    fund_id: int
    earmark_id: int | None = None


@dataclass(frozen=True, slots=True)
class NewConsent:
    """What a donor agreed to: from that wish to that wish, at most so much; who, when, and where the evidence is."""

    origin: Wish
    target: Wish
    amount: int
    given_by: str
    given_on: date
    evidence: str
    commodity: Commodity = Commodity.FEN


def record_consent(session: Session, community_id: int, consent: NewConsent, *, actor: Actor, now: datetime) -> Consent:
    """Write down a donor's consent; who gave it is sealed. Raises NotFound, Invalid naming the field."""
    if not actor.scope.everything and community_id not in actor.scope.communities:
        raise NotFound
    check_consent(session, community_id, consent, clock.today(now))
    uid = uuid4()
    made = Consent(
        uid=uid,
        community_id=community_id,
        from_fund_id=consent.origin.fund_id,
        from_earmark_id=consent.origin.earmark_id,
        to_fund_id=consent.target.fund_id,
        to_earmark_id=consent.target.earmark_id,
        commodity=str(consent.commodity),
        amount=consent.amount,
        given_by=vault.seal(f"consents.given_by.{uid}", consent.given_by.strip()),
        given_on=consent.given_on,
        evidence=consent.evidence.strip(),
        recorded_by=actor.user_id,
        recorded_at=now,
    )
    session.add(made)
    session.flush()
    audit.record(session, "funds.record_consent", "consents", made.id, actor=actor, community_id=community_id)
    return made


def check_consent(session: Session, community_id: int, consent: NewConsent, today: date) -> None:
    """Refuse what says too little or names what is not there; raises Invalid naming the field."""
    if not check_text("given_by", consent.given_by, LONGEST_NAME):
        raise Invalid("given_by", "请写明是谁同意的")
    if not check_text("evidence", consent.evidence, LONGEST_EVIDENCE):
        raise Invalid("evidence", "请写明同意书或录音存放在哪里")
    if consent.given_on > today:
        raise Invalid("given_on", "同意的日期不能晚于今天")
    if not 0 < consent.amount <= MOST:
        raise Invalid("amount", "请填写大于零的数量")
    if consent.origin == consent.target:
        raise Invalid("target", "新旧意向相同，不需要变更")
    for field, wish in (("origin", consent.origin), ("target", consent.target)):
        if not is_there(session, community_id, wish):
            raise Invalid(field, "没有这个基金或捐赠意向，请重新选择")


def is_there(session: Session, community_id: int, wish: Wish) -> bool:
    """Whether the community has the fund and, within it, the wish."""
    query = select(Fund.id).where(Fund.community_id == community_id, Fund.id == wish.fund_id)
    if wish.earmark_id is not None:
        is_wish = (Earmark.id == wish.earmark_id, Earmark.kind == str(EarmarkKind.WISH))
        query = query.join(Earmark, Earmark.fund_id == Fund.id).where(*is_wish)
    return session.execute(query).first() is not None


def find_consent(session: Session, consent_id: int, *, actor: Actor) -> Consent:
    """A consent in reach; raises NotFound."""
    query = select(Consent).where(Consent.id == consent_id, reach.visible(Consent, actor))
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def entry_of_consent(session: Session, consent_id: int) -> int | None:
    """The entry that acted on a consent."""
    return session.scalars(select(Entry.id).where(Entry.consent_id == consent_id)).one_or_none()


def change_earmark(
    session: Session, consent_id: int, holding_id: int, *, amount: int | None = None, actor: Actor, now: datetime
) -> Entry:
    """Move what was agreed (or less) to the other wish, where it lies.

    Raises NotFound, OwnConsent for whoever recorded it (a machine is no second person to another), ConsentUsed, and
    what `post` raises.
    """
    consent = find_consent(session, consent_id, actor=actor)
    by_machines = actor.api_key_id is not None and consent.recorded_by is None
    if by_machines or (actor.user_id is not None and actor.user_id == consent.recorded_by):
        raise OwnConsent
    if entry_of_consent(session, consent_id) is not None:
        raise ConsentUsed
    moved = consent.amount if amount is None else amount
    if not 0 < moved <= consent.amount:
        raise Invalid("amount", "不能超过捐赠人同意的数量")
    commodity = Commodity(consent.commodity)
    lines = (
        *at(Dimension(consent.from_fund_id, commodity, consent.from_earmark_id), holding_id, -moved),
        *at(Dimension(consent.to_fund_id, commodity, consent.to_earmark_id), holding_id, moved),
    )
    draft = Draft(consent.community_id, EntryKind.EARMARK_CHANGE, lines, consent_id=consent_id)
    return post(session, draft, actor=actor, now=now)


def consent_giver(consent: Consent) -> str:
    """Who agreed."""
    return vault.open_sealed(f"consents.given_by.{consent.uid}", consent.given_by)
