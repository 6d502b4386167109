"""三问: asking everybody, taking what is said, answering each entry once, publishing it without a name."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.care import Solicitation, SolicitationEntry
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor
from dispatch.rules.care import asking as rule
from dispatch.rules.care.asking import AskKind, EntrySource, Outcome
from dispatch.rules.care.events import end_of
from dispatch.rules.grid.phone import mask_phone, normalise_phone
from dispatch.rules.queue import Lane
from dispatch.services import notify, orders
from dispatch.services.access import audit, policies, reach, vault
from dispatch.services.grid.build import demand_community

ANSWER_DAYS = "care.answer_days"
UNANSWERED = "asking_unanswered"
MOST_FOUND = 50


class AskingOver(Conflict):
    """这次征集还没有开始或者已经截止"""


class EntryAnswered(Conflict):
    """这条意见已经答复过了"""


@dataclass(frozen=True, slots=True)
class AskingDraft:
    """A question to everybody."""

    kind: AskKind
    title: str
    words: str
    opens_on: date
    closes_on: date | None = None


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """What somebody says; `form_key` makes one form one entry, however often it is sent."""

    words: str = field(repr=False)
    source: EntrySource
    name: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    anonymous: bool = False
    form_key: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerDraft:
    """How an entry is answered, and what of it is published."""

    outcome: Outcome
    answer: str
    shown: str
    order_number: str = ""


@dataclass(frozen=True, slots=True)
class OpenedEntry:
    """An entry as the staff read it: its words, the name, the masked telephone, its order's number."""

    entry: SolicitationEntry
    asking: Solicitation
    words: str = field(repr=False)
    name: str = field(repr=False)
    phone: str = field(repr=False)
    order_number: str | None = None


@dataclass(frozen=True, slots=True)
class AskingRow:
    """A question with how many entries it has and how many of them wait for an answer."""

    asking: Solicitation
    entries: int
    waiting: int


def open_asking(
    session: Session, community_id: int, draft: AskingDraft, *, actor: Actor, now: datetime
) -> Solicitation:
    """Ask everybody; raises Invalid naming the field, NotFound."""
    demand_community(actor, community_id)
    rule.check_asking(draft.title, draft.words, draft.opens_on, draft.closes_on)
    asking = Solicitation(
        community_id=community_id,
        kind=str(draft.kind),
        title=draft.title.strip(),
        words=draft.words.strip(),
        opens_on=draft.opens_on,
        closes_on=draft.closes_on,
        created_by=actor.user_id,
        created_at=now,
    )
    session.add(asking)
    session.flush()
    record(session, "open_asking", asking, actor=actor)
    return asking


def close_asking(session: Session, asking_id: int, *, actor: Actor, now: datetime) -> Solicitation:
    """Take no more entries after today; raises NotFound, AskingOver."""
    asking = find_asking(session, asking_id, actor=actor)
    today = clock.today(now)
    if not rule.is_open(asking.opens_on, asking.closes_on, today):
        raise AskingOver
    asking.closes_on = today
    session.flush()
    record(session, "close_asking", asking, actor=actor)
    return asking


def record(session: Session, deed: str, row: Solicitation | SolicitationEntry, *, actor: Actor) -> None:
    """The audit entry of what was done."""
    audit.record(session, f"care.{deed}", row.__tablename__, row.id, actor=actor, community_id=row.community_id)


def find_asking(session: Session, asking_id: int, *, actor: Actor) -> Solicitation:
    """A question in reach; raises NotFound."""
    found = session.scalars(
        select(Solicitation).where(Solicitation.id == asking_id, reach.visible(Solicitation, actor))
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def list_askings(
    session: Session, *, actor: Actor, before: int | None = None, limit: int = MOST_FOUND
) -> Sequence[AskingRow]:
    """The questions in reach, the newest first, each with its counts; one query."""
    entries = select(func.count()).where(SolicitationEntry.solicitation_id == Solicitation.id)
    waiting = entries.where(SolicitationEntry.answered_at.is_(None))
    query = select(Solicitation, entries.scalar_subquery(), waiting.scalar_subquery())
    query = query.where(reach.visible(Solicitation, actor)).order_by(Solicitation.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Solicitation.id < before)
    return [AskingRow(*row) for row in session.execute(query)]


def take_entry(
    session: Session, asking_id: int, draft: EntryDraft, *, actor: Actor, now: datetime
) -> SolicitationEntry:
    """Keep what somebody says; the same form sent twice is kept once. Raises Invalid, NotFound, AskingOver."""
    asking = find_asking(session, asking_id, actor=actor)
    known = by_form(session, asking.id, draft.form_key)
    if known is not None:
        return known
    if not rule.is_open(asking.opens_on, asking.closes_on, clock.today(now)):
        raise AskingOver
    rule.check_entry(draft.words, draft.name, draft.phone, anonymous=draft.anonymous)
    entry = entry_of(asking, draft, actor=actor, now=now)
    try:
        with session.begin_nested():
            session.add(entry)
    except IntegrityError as error:
        known = by_form(session, asking.id, draft.form_key)
        if known is None:
            raise AskingOver from error
        return known
    record(session, "take_entry", entry, actor=actor)
    alarm_later(session, entry, now=now)
    return entry


def entry_of(asking: Solicitation, draft: EntryDraft, *, actor: Actor, now: datetime) -> SolicitationEntry:
    """The row of an entry; whoever brings what a stranger or a nameless one says is not written beside it."""
    uid, name = uuid4(), draft.name.strip()
    phone = normalise_phone(draft.phone) if draft.phone.strip() else None
    return SolicitationEntry(
        uid=uid,
        community_id=asking.community_id,
        solicitation_id=asking.id,
        source=str(draft.source),
        anonymous=draft.anonymous,
        words=vault.seal(f"solicitation_entries.words.{uid}", draft.words.strip()),
        name=vault.seal(f"solicitation_entries.name.{uid}", name) if name else None,
        phone=vault.seal(f"solicitation_entries.phone.{uid}", phone) if phone else None,
        form_key=draft.form_key,
        taken_by=None if draft.source is EntrySource.SITE else actor.user_id,
        said_at=now,
    )


def by_form(session: Session, asking_id: int, form_key: str | None) -> SolicitationEntry | None:
    """What was taken from this very form before."""
    if form_key is None:
        return None
    query = select(SolicitationEntry).where(
        SolicitationEntry.solicitation_id == asking_id, SolicitationEntry.form_key == form_key
    )
    return session.scalars(query).one_or_none()


def alarm_later(session: Session, entry: SolicitationEntry, *, now: datetime) -> None:
    """Look at the end of the last day whether it was answered."""
    days = int(policies.policy(session, entry.community_id, ANSWER_DAYS))
    queue.enqueue(
        session,
        "care.answer_due",
        lane=Lane.DEADLINE,
        reference=entry.id,
        run_at=end_of(rule.answer_due(clock.today(now), days)),
        dedupe=f"care.answer_due:{entry.id}",
    )


def answer_due(session: Session, entry_id: int) -> bool:
    """Alarm an entry that nobody has answered by now; False when it was."""
    entry = session.get_one(SolicitationEntry, entry_id, populate_existing=True)
    if entry.answered_at is not None:
        return False
    return notify.raise_alarm(
        session, kind=UNANSWERED, subject=subject_of(entry), level="warning", community_id=entry.community_id
    )


def subject_of(entry: SolicitationEntry) -> str:
    """What an alarm is about."""
    return f"solicitation_entries:{entry.id}"


def find_entry(session: Session, entry_id: int, *, actor: Actor, locked: bool = False) -> SolicitationEntry:
    """An entry in reach, locked when asked; raises NotFound."""
    query = select(SolicitationEntry).where(SolicitationEntry.id == entry_id, reach.visible(SolicitationEntry, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def list_entries(
    session: Session,
    *,
    actor: Actor,
    asking_id: int | None = None,
    entry_id: int | None = None,
    only_waiting: bool = False,
    before: int | None = None,
    limit: int = MOST_FOUND,
) -> Sequence[OpenedEntry]:
    """Entries in reach, the newest first; one query."""
    query = (
        select(SolicitationEntry, Solicitation, Order.number)
        .join(Solicitation, Solicitation.id == SolicitationEntry.solicitation_id)
        .outerjoin(Order, Order.id == SolicitationEntry.order_id)
        .where(reach.visible(SolicitationEntry, actor))
        .order_by(SolicitationEntry.id.desc())
        .limit(limit)
    )
    if asking_id is not None:
        query = query.where(SolicitationEntry.solicitation_id == asking_id)
    if entry_id is not None:
        query = query.where(SolicitationEntry.id == entry_id)
    if only_waiting:
        query = query.where(SolicitationEntry.answered_at.is_(None))
    if before is not None:
        query = query.where(SolicitationEntry.id < before)
    return [opened(*row) for row in session.execute(query)]


def opened(entry: SolicitationEntry, asking: Solicitation, order_number: str | None) -> OpenedEntry:
    """An entry with its seals broken; the telephone stays masked."""
    place = f"solicitation_entries.{{}}.{entry.uid}"
    name = vault.open_sealed(place.format("name"), entry.name) if entry.name else ""
    phone = mask_phone(vault.open_sealed(place.format("phone"), entry.phone)) if entry.phone else ""
    words = vault.open_sealed(place.format("words"), entry.words)
    return OpenedEntry(entry, asking, words, name, phone, order_number)


def view_entry(session: Session, entry_id: int, *, actor: Actor) -> OpenedEntry:
    """One entry as the staff read it; raises NotFound."""
    found = list_entries(session, actor=actor, entry_id=entry_id, limit=1)
    if not found:
        raise NotFound
    return found[0]


def answer_entry(
    session: Session, entry_id: int, draft: AnswerDraft, *, actor: Actor, now: datetime
) -> SolicitationEntry:
    """Answer an entry, which publishes it; once. Raises Invalid naming the field, NotFound, EntryAnswered."""
    entry = find_entry(session, entry_id, actor=actor, locked=True)
    if entry.answered_at is not None:
        raise EntryAnswered
    order_id = order_named(session, draft.order_number, entry.community_id, actor=actor)
    rule.check_answer(draft.outcome, draft.answer, draft.shown, order_id)
    entry.outcome, entry.order_id = str(draft.outcome), order_id
    entry.answer, entry.shown = draft.answer.strip(), draft.shown.strip()
    entry.answered_by, entry.answered_at = actor.user_id, now
    session.flush()
    record(session, "answer_entry", entry, actor=actor)
    notify.clear_alarms(session, kinds=(UNANSWERED,), subject=subject_of(entry), now=now)
    return entry


def order_named(session: Session, number: str, community_id: int, *, actor: Actor) -> int | None:
    """The order that was opened for an entry, of the same community; raises Invalid("order", …)."""
    if not number.strip():
        return None
    try:
        order = orders.find(session, number, actor=actor)
    except NotFound as error:
        raise Invalid("order", "没有这个单号,请核对") from error
    if order.community_id != community_id:
        raise Invalid("order", "这张订单不是本社区的")
    return order.id


@dataclass(frozen=True, slots=True)
class Published:
    """What everybody may read of an entry."""

    said_on: date
    shown: str
    outcome: str
    answer: str


def published(session: Session, asking_id: int, *, actor: Actor, limit: int = MOST_FOUND) -> Sequence[Published]:
    """The answered entries of a question, the newest answer first, without a name and without an order's number."""
    query = (
        select(SolicitationEntry)
        .where(
            SolicitationEntry.solicitation_id == asking_id,
            SolicitationEntry.answered_at.is_not(None),
            reach.visible(SolicitationEntry, actor),
        )
        .order_by(SolicitationEntry.answered_at.desc(), SolicitationEntry.id.desc())
        .limit(limit)
    )
    return [
        Published(clock.today(one.said_at), one.shown or "", one.outcome or "", one.answer or "")
        for one in session.scalars(query)
    ]
