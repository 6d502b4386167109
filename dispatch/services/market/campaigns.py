"""Partners and agreements, appeals and their prints, the media log, sessions of the 爱心聊吧: each written once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.db import Base
from dispatch.errors import Conflict, NotFound
from dispatch.models.market import Agreement, Appeal, AppealPrint, ChatSession, MediaReport, Partner
from dispatch.rules.access.roles import Actor
from dispatch.rules.grid.phone import normalise_phone
from dispatch.rules.market import campaigns as rule
from dispatch.rules.market.campaigns import AgreementPurpose, Medium, PartnerKind
from dispatch.services.access import audit, reach, vault
from dispatch.services.grid.build import demand_community

MOST_FOUND = 200


class PartnerKnown(Conflict):
    """这个合作单位已经登记过"""


class AlreadyAgreed(Conflict):
    """这个编号的协议已经登记过"""


class AppealRevised(Conflict):
    """这份倡议书刚刚有了新的一版，请刷新后再改"""


@dataclass(frozen=True, slots=True)
class PartnerDraft:
    """Who works with us, and who is asked for there."""

    kind: PartnerKind
    name: str
    contact: str = ""
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AgreementDraft:
    """What was agreed with a partner, for what, from when until when."""

    purpose: AgreementPurpose
    number: str
    words: str
    signed_on: date
    valid_until: date | None = None


def record(session: Session, deed: str, row: Base, row_id: int, community_id: int, *, actor: Actor) -> None:
    """The audit entry of what was written."""
    audit.record(session, f"market.{deed}", row.__tablename__, row_id, actor=actor, community_id=community_id)


def keep(session: Session, row: Base, taken: type[Conflict]) -> None:
    """Insert a row whose name or number is the only one of its kind; raises `taken` where another was faster."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise taken from error


def add_partner(session: Session, community_id: int, draft: PartnerDraft, *, actor: Actor, now: datetime) -> Partner:
    """Enter a partner; raises Invalid, NotFound, PartnerKnown."""
    demand_community(actor, community_id)
    rule.check_title(draft.name, "name")
    phone = normalise_phone(draft.phone) if draft.phone else None
    uid = uuid4()
    partner = Partner(
        uid=uid,
        community_id=community_id,
        kind=str(draft.kind),
        name=draft.name.strip(),
        contact=draft.contact.strip()[: rule.LONGEST_TITLE],
        phone=vault.seal(f"partners.phone.{uid}", phone) if phone else None,
        created_by=actor.user_id,
        created_at=now,
    )
    keep(session, partner, PartnerKnown)
    record(session, "add_partner", partner, partner.id, community_id, actor=actor)
    return partner


def list_partners(session: Session, *, actor: Actor) -> Sequence[Partner]:
    """The partners in reach by name."""
    query = select(Partner).where(reach.visible(Partner, actor)).order_by(Partner.name, Partner.id)
    return session.scalars(query.limit(MOST_FOUND)).all()


def find_partner(session: Session, partner_id: int, *, actor: Actor) -> Partner:
    """A partner in reach; raises NotFound."""
    query = select(Partner).where(Partner.id == partner_id, reach.visible(Partner, actor))
    partner = session.scalars(query).one_or_none()
    if partner is None:
        raise NotFound
    return partner


def sign_agreement(
    session: Session, partner_id: int, draft: AgreementDraft, *, actor: Actor, now: datetime
) -> Agreement:
    """Enter what was signed with a partner; it is never edited. Raises Invalid, NotFound, AlreadyAgreed."""
    partner = find_partner(session, partner_id, actor=actor)
    rule.check_title(draft.number, "number")
    rule.check_words(draft.words)
    rule.check_agreement(draft.signed_on, draft.valid_until, clock.today(now))
    agreement = Agreement(
        community_id=partner.community_id,
        partner_id=partner.id,
        purpose=str(draft.purpose),
        number=draft.number.strip(),
        words=draft.words.strip(),
        signed_on=draft.signed_on,
        valid_until=draft.valid_until,
        created_by=actor.user_id,
        created_at=now,
    )
    keep(session, agreement, AlreadyAgreed)
    record(session, "sign_agreement", agreement, agreement.id, partner.community_id, actor=actor)
    return agreement


def agreements_of(session: Session, partner_ids: Sequence[int]) -> dict[int, list[Agreement]]:
    """The agreements of partners, the newest first."""
    query = select(Agreement).where(Agreement.partner_id.in_(partner_ids))
    found: dict[int, list[Agreement]] = {partner_id: [] for partner_id in partner_ids}
    for agreement in session.scalars(query.order_by(Agreement.signed_on.desc(), Agreement.id.desc())):
        found[agreement.partner_id].append(agreement)
    return found


def write_appeal(
    session: Session,
    community_id: int,
    *,
    title: str,
    words: str,
    after: int = 0,
    actor: Actor,
    now: datetime,
) -> Appeal:
    """Write the first or the next version of an appeal; `after` is the version that was read (0: none).

    Raises Invalid, NotFound, AppealRevised.
    """
    demand_community(actor, community_id)
    rule.check_title(title)
    rule.check_words(words)
    newest = select(func.max(Appeal.version)).where(Appeal.community_id == community_id, Appeal.title == title.strip())
    if (session.scalars(newest).one() or 0) != after:
        raise AppealRevised
    appeal = Appeal(
        community_id=community_id,
        title=title.strip(),
        version=after + 1,
        words=words.strip(),
        written_on=clock.today(now),
        created_by=actor.user_id,
        created_at=now,
    )
    keep(session, appeal, AppealRevised)
    record(session, "write_appeal", appeal, appeal.id, community_id, actor=actor)
    return appeal


def find_appeal(session: Session, appeal_id: int, *, actor: Actor) -> Appeal:
    """A version of an appeal in reach; raises NotFound."""
    query = select(Appeal).where(Appeal.id == appeal_id, reach.visible(Appeal, actor))
    appeal = session.scalars(query).one_or_none()
    if appeal is None:
        raise NotFound
    return appeal


def list_appeals(session: Session, *, actor: Actor) -> Sequence[tuple[Appeal, int]]:
    """Every version in reach, the newest first, with how many copies were given of it."""
    copies = select(func.coalesce(func.sum(AppealPrint.copies), 0)).where(AppealPrint.appeal_id == Appeal.id)
    query = select(Appeal, copies.scalar_subquery()).where(reach.visible(Appeal, actor))
    return [(row[0], int(row[1])) for row in session.execute(query.order_by(Appeal.id.desc()).limit(MOST_FOUND))]


def note_prints(
    session: Session, appeal_id: int, *, copies: int, given_where: str, given_on: date, actor: Actor, now: datetime
) -> AppealPrint:
    """Note how many copies of a version were given where and when; raises Invalid, NotFound."""
    appeal = find_appeal(session, appeal_id, actor=actor)
    rule.check_prints(copies, given_where, given_on, appeal.written_on, clock.today(now))
    given = AppealPrint(
        community_id=appeal.community_id,
        appeal_id=appeal.id,
        copies=copies,
        given_where=given_where.strip(),
        given_on=given_on,
        created_by=actor.user_id,
        created_at=now,
    )
    session.add(given)
    session.flush()
    record(session, "note_prints", given, given.id, appeal.community_id, actor=actor)
    return given


def prints_of(session: Session, appeal_id: int) -> Sequence[AppealPrint]:
    """Where a version was given, the newest first."""
    query = select(AppealPrint).where(AppealPrint.appeal_id == appeal_id)
    return session.scalars(query.order_by(AppealPrint.given_on.desc(), AppealPrint.id.desc())).all()


def note_media(
    session: Session,
    community_id: int,
    *,
    medium: Medium,
    outlet: str,
    title: str,
    published_on: date,
    shows_people: bool,
    consent: str = "",
    actor: Actor,
    now: datetime,
) -> MediaReport:
    """Note what was reported where; who is shown must have consented. Raises Invalid, NotFound."""
    demand_community(actor, community_id)
    rule.check_title(outlet, "outlet")
    rule.check_title(title)
    rule.check_media(published_on, clock.today(now), shows_people=shows_people, consent=consent)
    report = MediaReport(
        community_id=community_id,
        medium=str(medium),
        outlet=outlet.strip(),
        title=title.strip(),
        published_on=published_on,
        shows_people=shows_people,
        consent=consent.strip()[: rule.LONGEST_WORDS],
        created_by=actor.user_id,
        created_at=now,
    )
    session.add(report)
    session.flush()
    record(session, "note_media", report, report.id, community_id, actor=actor)
    return report


def list_media(session: Session, *, actor: Actor) -> Sequence[MediaReport]:
    """The media log, the newest first."""
    query = select(MediaReport).where(reach.visible(MediaReport, actor)).order_by(MediaReport.id.desc())
    return session.scalars(query.limit(MOST_FOUND)).all()


def note_chat(
    session: Session,
    community_id: int,
    *,
    held_on: date,
    topic: str,
    present: int,
    referred: int,
    actor: Actor,
    now: datetime,
) -> ChatSession:
    """Note how many came to a session of the 爱心聊吧 and how many were referred; nobody's name. Raises Invalid."""
    demand_community(actor, community_id)
    rule.check_title(topic, "topic")
    rule.check_attendance(present, referred, held_on, clock.today(now))
    chat = ChatSession(
        community_id=community_id,
        held_on=held_on,
        topic=topic.strip(),
        present=present,
        referred=referred,
        created_by=actor.user_id,
        created_at=now,
    )
    session.add(chat)
    session.flush()
    record(session, "note_chat", chat, chat.id, community_id, actor=actor)
    return chat


def list_chats(session: Session, *, actor: Actor) -> Sequence[ChatSession]:
    """The sessions, the newest first."""
    query = select(ChatSession).where(reach.visible(ChatSession, actor)).order_by(ChatSession.id.desc())
    return session.scalars(query.limit(MOST_FOUND)).all()
