"""Firms of a district: application, admission by a second person, suspension, leaving; the history of all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.catalogue import FirmDecision, Paper, Performer, PerformerService, Service
from dispatch.rules.access.roles import Actor
from dispatch.rules.catalogue.firms import FirmAction, Standing, check_admission, check_decision, standing_of
from dispatch.rules.catalogue.papers import NEVER, HeldPaper, valid_until
from dispatch.rules.grid.identity import check_uscc
from dispatch.services.access import vault
from dispatch.services.access.reach import visible
from dispatch.services.catalogue.applying import CODE, FirmApplication, read_application
from dispatch.services.catalogue.loading import NewPerformer, load_performers, performer_ids
from dispatch.services.catalogue.papers import papers_held
from dispatch.services.catalogue.performers import PerformerKnown, changed, locked
from dispatch.services.catalogue.shifts import weekly
from dispatch.services.grid.build import demand_community

FIRM = "firm"
MOST_FOUND = 51
"""A page of fifty, and one more to see whether another follows."""
AFTER = {
    FirmAction.ADMIT: "admitted",
    FirmAction.REFUSE: "refused",
    FirmAction.LEAVE: "left",
}


class FirmKnown(Conflict):
    """这个统一社会信用代码的服务商已经登记过"""


class PaperGone(Conflict):
    """这张证照已经注销"""


@dataclass(frozen=True, slots=True)
class FirmRow:
    """A firm as a list shows it: its standing and until when its papers hold from today (None: none needed or held)."""

    firm: Performer
    standing: Standing
    kinds: tuple[str, ...]
    needed: frozenset[str]
    held: tuple[HeldPaper, ...]
    papers_until: date | None

    def missing(self) -> list[str]:
        """The kinds of paper that its kinds of work need and that it does not hold."""
        return sorted(self.needed - {kind for kind, _, _ in self.held})


def apply_with(session: Session, asked: FirmApplication, *, actor: Actor, now: datetime) -> Performer:
    """Enter the application that a form or message describes: see read_application and apply."""
    new = read_application(session, asked, actor=actor)
    return apply(session, asked.community_id, new, contact=asked.contact, actor=actor, now=now)


def apply(
    session: Session, community_id: int, new: NewPerformer, *, contact: str | None, actor: Actor, now: datetime
) -> Performer:
    """Enter a firm's application with its kinds, cover, shifts and papers; it gets nothing until it is admitted.

    Raises Invalid("uscc" | "shifts", …), FirmKnown for its code of credit, PerformerKnown for its code.
    """
    demand_community(actor, community_id)
    weekly(new.shifts)
    uscc = check_uscc(new.uscc or "")
    taken = (Performer.organisation_id == new.organisation_id) & (Performer.uscc == uscc)
    if session.scalars(select(Performer.id).where(taken, Performer.admission.in_(("applied", "admitted")))).first():
        raise FirmKnown
    if performer_ids(session, [new.code], [new.organisation_id]):
        raise PerformerKnown
    performer_id = load_performers(session, community_id, [new], actor=actor)[new.code]
    firm = session.get_one(Performer, performer_id)
    firm.uscc, firm.is_active, firm.admission = uscc, False, "applied"
    firm.contact = vault.seal(f"performers.contact.{firm.uid}", contact) if contact else None
    note(session, firm, FirmAction.APPLY, "申请", None, actor=actor, now=now)
    return firm


def decide_firm(
    session: Session,
    performer_id: int,
    action: FirmAction,
    *,
    reason: str,
    until: datetime | None = None,
    actor: Actor,
    now: datetime,
) -> Performer:
    """Decide about a firm; the rule says what is possible from where it stands. Audited with the reason.

    Raises NotPossibleNow, Invalid("reason" | "until", …), SecondPersonNeeded and PapersMissing for an admission.
    A suspension through here takes no open round away: use orders.suspend_firm.
    """
    firm = locked(session, performer_id, actor)
    check_decision(standing_of(firm.admission, firm.suspended_until, now), action, reason, until, now)
    if action is FirmAction.ADMIT:
        held = papers_held(session, [firm.id])[firm.id]
        needed = needed_papers(session, [firm.id])[firm.id]
        entered_by = entered(session, firm.id)
        check_admission(held, needed, clock.today(now), entered_by=entered_by, decided_by=actor.user_id)
    if action in AFTER:
        firm.admission, firm.is_active = AFTER[action], action is FirmAction.ADMIT
    if action in {FirmAction.SUSPEND, FirmAction.LIFT}:
        firm.suspended_until = until
    note(session, firm, action, reason.strip(), until, actor=actor, now=now)
    return firm


def suspend(session: Session, performer_id: int, until: datetime, *, reason: str, actor: Actor, now: datetime) -> None:
    """Give a performer no new orders until an instant: see decide_firm."""
    decide_firm(session, performer_id, FirmAction.SUSPEND, reason=reason, until=until, actor=actor, now=now)


def end_suspension(session: Session, performer_id: int, *, reason: str, actor: Actor, now: datetime) -> None:
    """Let a suspended performer get orders again: see decide_firm."""
    decide_firm(session, performer_id, FirmAction.LIFT, reason=reason, actor=actor, now=now)


def retire(session: Session, performer_id: int, *, reason: str, actor: Actor, now: datetime) -> None:
    """Take a performer out of use; orders in hand stay: see decide_firm."""
    decide_firm(session, performer_id, FirmAction.LEAVE, reason=reason, actor=actor, now=now)


def note(
    session: Session,
    firm: Performer,
    action: FirmAction,
    reason: str,
    until: datetime | None,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Write a decision into the firm's history and the audit trail; routing hears of it."""
    session.add(
        FirmDecision(
            performer_id=firm.id,
            action=action,
            reason=reason,
            until=until,
            decided_by=actor.user_id,
            decided_by_key=actor.api_key_id,
            decided_at=now,
        )
    )
    fields = {} if until is None else {"until": until.isoformat()}
    changed(session, firm, f"catalogue.firm_{action}", actor, fields, purpose=reason)


def entered(session: Session, performer_id: int) -> int | None:
    """Who entered a firm's application."""
    query = select(FirmDecision.decided_by).where(
        FirmDecision.performer_id == performer_id, FirmDecision.action == FirmAction.APPLY
    )
    return session.scalars(query.order_by(FirmDecision.id.desc()).limit(1)).first()


def needed_papers(session: Session, performer_ids: Sequence[int]) -> dict[int, frozenset[str]]:
    """The kinds of paper that the kinds of work of each of these performers need; one query."""
    rows = session.execute(
        select(PerformerService.performer_id, Service.papers)
        .join(Service, Service.id == PerformerService.service_id)
        .where(PerformerService.performer_id.in_(performer_ids))
    )
    needed: dict[int, frozenset[str]] = dict.fromkeys(performer_ids, frozenset())
    for row in rows:
        needed[row.performer_id] |= frozenset(row.papers)
    return needed


def find_firm(session: Session, code: str, *, actor: Actor) -> Performer:
    """A firm within reach by its code, whatever its standing; raises NotFound."""
    if CODE.fullmatch(code) is None:
        raise NotFound
    query = select(Performer).where(Performer.kind == FIRM, Performer.code == code, visible(Performer, actor))
    found = session.scalars(query.order_by(Performer.id).limit(1)).one_or_none()
    if found is None:
        raise NotFound
    return found


def list_firms(
    session: Session,
    *,
    query: str = "",
    standing: Standing | None = None,
    after: int = 0,
    limit: int = MOST_FOUND,
    actor: Actor,
    now: datetime,
) -> list[FirmRow]:
    """The firms in reach by id, after an id: those whose name, code or code of credit holds the words."""
    wanted = select(Performer).where(Performer.kind == FIRM, visible(Performer, actor), Performer.id > after)
    if query.strip():
        words = f"%{query.strip().replace('%', '').replace('_', '')}%"
        wanted = wanted.where(
            or_(*(column.ilike(words) for column in (Performer.name, Performer.code, Performer.uscc)))
        )
    if standing is not None:
        stored = Standing.ADMITTED if standing is Standing.SUSPENDED else standing
        wanted = wanted.where(Performer.admission == stored)
        is_suspended = Performer.suspended_until > now
        if standing is Standing.SUSPENDED:
            wanted = wanted.where(is_suspended)
        elif standing is Standing.ADMITTED:
            wanted = wanted.where(Performer.suspended_until.is_(None) | ~is_suspended)
    firms = session.scalars(wanted.order_by(Performer.id).limit(min(limit, MOST_FOUND))).all()
    return firm_rows(session, firms, now=now)


def firm_rows(session: Session, firms: Sequence[Performer], *, now: datetime) -> list[FirmRow]:
    """Firms with standing, kinds and papers, in three queries however many they are."""
    ids = [one.id for one in firms]
    held, needed, kinds = papers_held(session, ids), needed_papers(session, ids), kinds_of_firms(session, ids)
    return [
        FirmRow(
            one,
            standing_of(one.admission, one.suspended_until, now),
            kinds[one.id],
            needed[one.id],
            tuple(held[one.id]),
            valid_until(held[one.id], needed[one.id], clock.today(now)) or NEVER,
        )
        for one in firms
    ]


def kinds_of_firms(session: Session, performer_ids: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
    """The names of the kinds that each of these performers serves; one query."""
    rows = session.execute(
        select(PerformerService.performer_id, Service.name)
        .join(Service, Service.id == PerformerService.service_id)
        .where(PerformerService.performer_id.in_(performer_ids))
        .order_by(Service.popularity.desc(), Service.id)
    )
    kinds: dict[int, tuple[str, ...]] = dict.fromkeys(performer_ids, ())
    for row in rows:
        kinds[row.performer_id] = (*kinds[row.performer_id], row.name)
    return kinds


def kinds_of_firm(session: Session, performer_id: int) -> Sequence[Service]:
    """The kinds that a firm serves, the most popular first."""
    query = select(Service).join(PerformerService, PerformerService.service_id == Service.id)
    return session.scalars(
        query.where(PerformerService.performer_id == performer_id).order_by(Service.popularity.desc(), Service.id)
    ).all()


def firm_decisions(session: Session, performer_id: int) -> Sequence[FirmDecision]:
    """What was decided about a firm, newest first."""
    query = select(FirmDecision).where(FirmDecision.performer_id == performer_id)
    return session.scalars(query.order_by(FirmDecision.id.desc()).limit(200)).all()


def papers_of_firm(session: Session, performer_id: int) -> Sequence[Paper]:
    """A firm's papers, also those given up, by kind and end."""
    query = select(Paper).where(Paper.performer_id == performer_id)
    return session.scalars(query.order_by(Paper.kind, Paper.valid_until.desc(), Paper.id)).all()


def give_up_paper(
    session: Session, performer_id: int, paper_id: int, *, reason: str, actor: Actor, now: datetime
) -> None:
    """Note that a paper is held no more, so that it bars nothing; one that its kinds need is missing from then on."""
    firm = locked(session, performer_id, actor)
    if not reason.strip():
        raise Invalid("reason", "请写明原因")
    query = select(Paper).where(Paper.id == paper_id, Paper.performer_id == performer_id).with_for_update()
    paper = session.scalars(query).one_or_none()
    if paper is None:
        raise NotFound
    if paper.given_up_at is not None:
        raise PaperGone
    paper.given_up_at = now
    changed(session, firm, "catalogue.give_up_paper", actor, {"paper": str(paper.id)}, purpose=reason.strip())
