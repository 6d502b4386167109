"""Pledges: taken at the desk, by the donation line or from the site; fetched by an order; withdrawn with a reason."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.market import Pledge
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor
from dispatch.rules.grid.phone import mask_phone, normalise_phone
from dispatch.rules.market import pledges as rule
from dispatch.rules.market.pledges import PledgeKind, PledgeSource, PledgeState, Promise
from dispatch.rules.orders.intake import check_text, check_window
from dispatch.services import orders
from dispatch.services.access import audit, reach, vault
from dispatch.services.catalogue.applying import district_of
from dispatch.services.grid.build import demand_community

ORIGIN = "market.pledge"
FETCHING = "pledge_fetch"
MOST_FOUND = 51
LONGEST_KEY = 100


class StalePledge(Conflict):
    """别人刚刚改过这笔认捐，请刷新后再操作"""


@dataclass(frozen=True, slots=True)
class PledgeDraft:
    """A promise and who makes it; whoever does not want to be named says no name."""

    promise: Promise
    source: PledgeSource
    name: str | None = None
    phone: str | None = field(default=None, repr=False)
    wish: str = ""
    is_overseas: bool = False
    is_named: bool = False
    form_key: str | None = None


@dataclass(frozen=True, slots=True)
class PledgePage:
    """One page of pledges, newest first, each with the number of its order, and the id to go on before."""

    items: Sequence[tuple[Pledge, str | None]]
    next: int | None


def phone_place(pledge: Pledge) -> str:
    """Where the number of who pledged is sealed."""
    return f"pledges.phone.{pledge.uid}"


def take_pledge(session: Session, community_id: int, draft: PledgeDraft, *, actor: Actor, now: datetime) -> Pledge:
    """Keep a promise; the same form sent twice is kept once. Raises Invalid naming the field, NotFound."""
    demand_community(actor, community_id)
    known = by_form(session, community_id, draft.form_key)
    if known is not None:
        return known
    check_draft(draft, now)
    phone = normalise_phone(draft.phone) if draft.phone else None
    promise = draft.promise
    pledge = Pledge(
        uid=uuid4(),
        community_id=community_id,
        kind=str(promise.kind),
        source=str(draft.source),
        name=(draft.name or "").strip() or None,
        phone_index=vault.blind_index("phone", phone) if phone else None,
        words=promise.words.strip(),
        fen=promise.fen,
        wish=draft.wish.strip(),
        is_overseas=draft.is_overseas,
        is_named=draft.is_named,
        address_text=promise.address_text.strip(),
        wanted_from=promise.wanted_from,
        wanted_until=promise.wanted_until,
        form_key=draft.form_key,
        created_by=actor.user_id,
        created_by_key=actor.api_key_id,
        created_at=now,
    )
    pledge.phone = vault.seal(phone_place(pledge), phone) if phone else None
    try:
        with session.begin_nested():
            session.add(pledge)
    except IntegrityError as error:
        known = by_form(session, community_id, draft.form_key)
        if known is None:
            raise StalePledge from error
        return known
    record(session, "take_pledge", pledge, actor=actor)
    return pledge


def check_draft(draft: PledgeDraft, now: datetime) -> None:
    """Refuse what says too little or too much; raises Invalid naming the field."""
    promise = draft.promise
    check_text("words", promise.words, rule.LONGEST_WORDS)
    check_text("wish", draft.wish, rule.LONGEST_WORDS)
    check_text("name", draft.name or "", rule.LONGEST_NAME)
    check_text("address_text", promise.address_text, rule.LONGEST_ADDRESS)
    check_window(promise.wanted_from, promise.wanted_until, now)
    rule.check_promise(promise)
    if not draft.phone and draft.source is not PledgeSource.DESK:
        raise Invalid("phone", "请留下电话，我们好与您联系")
    if draft.is_named and not (draft.name or "").strip():
        raise Invalid("name", "愿意公开姓名的，请写明姓名")
    if draft.form_key is not None and not 1 <= len(draft.form_key) <= LONGEST_KEY:
        raise Invalid("form_key", "请重新打开这一页再填")


def by_form(session: Session, community_id: int, form_key: str | None) -> Pledge | None:
    """What was taken from this very form before."""
    if form_key is None:
        return None
    query = select(Pledge).where(Pledge.community_id == community_id, Pledge.form_key == form_key)
    return session.scalars(query).one_or_none()


def record(session: Session, deed: str, pledge: Pledge, *, actor: Actor) -> None:
    """The audit entry of what was done with a pledge."""
    audit.record(session, f"market.{deed}", "pledges", pledge.id, actor=actor, community_id=pledge.community_id)


def find_pledge(session: Session, pledge_id: int, *, actor: Actor, locked: bool = False) -> Pledge:
    """A pledge in reach, locked and read fresh when asked; raises NotFound."""
    query = select(Pledge).where(Pledge.id == pledge_id, reach.visible(Pledge, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    pledge = session.scalars(query).one_or_none()
    if pledge is None:
        raise NotFound
    return pledge


def list_pledges(
    session: Session, *, only_waiting: bool = True, before: int | None = None, limit: int = MOST_FOUND - 1, actor: Actor
) -> PledgePage:
    """The pledges of the reach, newest first."""
    query = select(Pledge, Order.number).outerjoin(Order, Order.id == Pledge.order_id)
    query = query.where(reach.visible(Pledge, actor))
    if only_waiting:
        query = query.where(Pledge.state.in_(rule.WAITING))
    if before is not None:
        query = query.where(Pledge.id < before)
    rows = session.execute(query.order_by(Pledge.id.desc()).limit(limit + 1)).all()
    shown = [(row[0], row[1]) for row in rows[:limit]]
    return PledgePage(shown, shown[-1][0].id if len(rows) > limit else None)


def pledge_phone(session: Session, pledge: Pledge, *, actor: Actor) -> str:
    """The whole number of who pledged, empty when none was left; the reading is audited."""
    if pledge.phone is None:
        return ""
    record(session, "read_pledge_phone", pledge, actor=actor)
    return vault.open_sealed(phone_place(pledge), pledge.phone)


def masked_phone_of_pledge(pledge: Pledge) -> str:
    """The number with its middle hidden, empty when none was left."""
    return mask_phone(vault.open_sealed(phone_place(pledge), pledge.phone)) if pledge.phone else ""


def order_of_pledge(session: Session, pledge: Pledge) -> str | None:
    """The number of the order that fetches it, None before there was one."""
    if pledge.order_id is None:
        return None
    return session.scalars(select(Order.number).where(Order.id == pledge.order_id)).one_or_none()


def check_version(pledge: Pledge, version: int | None) -> None:
    """Refuse what was decided on an older picture; None means that the caller does not say."""
    if version is not None and version != pledge.version:
        raise StalePledge


def fetch_pledge(
    session: Session, pledge_id: int, *, version: int | None = None, actor: Actor, now: datetime
) -> Pledge:
    """Send somebody to fetch what was promised: an order of the core, once. Raises NotFound, StalePledge, Conflict."""
    pledge = find_pledge(session, pledge_id, actor=actor, locked=True)
    check_version(pledge, version)
    if pledge.kind == PledgeKind.MONEY:
        raise rule.NothingToFetch
    rule.step(PledgeState(pledge.state), PledgeState.FETCHING)
    if pledge.state != PledgeState.OPEN:
        raise rule.PledgeNotThere
    pledge.tries += 1
    pledge.order_id = place_order(session, pledge, actor=actor, now=now)
    pledge.order_version = 0
    advance(session, pledge, PledgeState.FETCHING)
    record(session, "fetch_pledge", pledge, actor=actor)
    return pledge


def place_order(session: Session, pledge: Pledge, *, actor: Actor, now: datetime) -> int:
    """The order that fetches a locked pledge; a wanted time that is past is wanted no more."""
    is_ahead = pledge.wanted_until is not None and pledge.wanted_until > now
    wanted_from = max(pledge.wanted_from, now) if is_ahead and pledge.wanted_from is not None else None
    draft = orders.OrderDraft(
        description=pledge.words,
        service_code=FETCHING,
        address_text=pledge.address_text,
        caller_name=pledge.name,
        caller_phone=vault.open_sealed(phone_place(pledge), pledge.phone) if pledge.phone else None,
        wanted_from=wanted_from,
        wanted_until=pledge.wanted_until if is_ahead else None,
        source="programme",
        origin=ORIGIN,
        origin_id=pledge.id,
        occasion=str(pledge.tries),
        organisation_id=district_of(session, pledge.community_id),
    )
    return orders.receive(session, draft, actor=actor, now=now).id


def advance(session: Session, pledge: Pledge, to: PledgeState) -> None:
    """Let a locked pledge take a step that its table knows; raises PledgeNotThere."""
    pledge.state = str(rule.step(PledgeState(pledge.state), to))
    pledge.version += 1
    session.flush()


def withdraw_pledge(
    session: Session, pledge_id: int, *, reason: str, version: int | None = None, actor: Actor
) -> Pledge:
    """Note that a promise is kept no more; one that is under way is first called back by its order.

    Raises NotFound, StalePledge, PledgeNotThere, Invalid("reason", …).
    """
    pledge = find_pledge(session, pledge_id, actor=actor, locked=True)
    check_version(pledge, version)
    check_text("reason", reason, rule.LONGEST_WORDS)
    if not reason.strip():
        raise Invalid("reason", "请写明为什么不捐了")
    pledge.reason = reason.strip()
    advance(session, pledge, PledgeState.WITHDRAWN)
    record(session, "withdraw_pledge", pledge, actor=actor)
    return pledge
