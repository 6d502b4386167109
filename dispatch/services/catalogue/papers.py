"""Papers of performers: whether they are valid, which expire or have expired, and what was told of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session, aliased

from dispatch.models.catalogue import Paper, Performer, Service
from dispatch.rules.catalogue.papers import HeldPaper, hold
from dispatch.rules.orders.decision import PerformerClass


@dataclass(frozen=True, slots=True)
class EndingPaper:
    """A paper that ends soon or has ended, with what an alarm needs; `days_left` is negative when it has."""

    id: int
    performer_id: int
    organisation_id: int
    performer_code: str
    performer_name: str
    kind: str
    valid_until: date
    days_left: int

    @property
    def subject(self) -> str:
        """What alarms of this paper and date are about."""
        return f"paper:{self.id}:{self.valid_until}"


def papers_hold(session: Session, performer: Performer, service: Service, days: tuple[date, date]) -> bool:
    """Whether a performer's papers, and those that a kind of order needs, are valid from the first to the last day.

    A firm needs papers in any case; one query.
    """
    terms = papers_held(session, [performer.id])[performer.id]
    return hold(terms, service.papers, *days, demanded=performer.kind == PerformerClass.FIRM)


def papers_held(session: Session, performer_ids: Sequence[int]) -> dict[int, list[HeldPaper]]:
    """The papers of each of these performers that were not given up; one query."""
    rows = session.execute(
        select(Paper.performer_id, Paper.kind, Paper.valid_from, Paper.valid_until)
        .where(Paper.performer_id.in_(performer_ids), Paper.given_up_at.is_(None))
        .order_by(Paper.id)
    )
    held: dict[int, list[HeldPaper]] = {one: [] for one in performer_ids}
    for row in rows:
        held[row.performer_id].append((row.kind, row.valid_from, row.valid_until))
    return held


def papers_to_tell(session: Session, today: date, *, warning_days: int, organisation_id: int) -> list[EndingPaper]:
    """An organisation's papers, not renewed, that end within the days of warning or have ended, not yet told.

    `warned_for` is the last day of the paper once its coming end was told, the day after once its end was.
    """
    rows = session.execute(
        select(Paper, Performer)
        .join(Performer, Performer.id == Paper.performer_id)
        .where(
            Performer.is_active,
            Performer.organisation_id == organisation_id,
            Paper.valid_until <= today + timedelta(days=warning_days),
            Paper.given_up_at.is_(None),
            ~is_renewed(),
            (Paper.warned_for.is_(None))
            | ((Paper.valid_until >= today) & (Paper.warned_for != Paper.valid_until))
            | ((Paper.valid_until < today) & (Paper.warned_for <= Paper.valid_until)),
        )
        .order_by(Paper.id)
        .with_for_update(of=Paper)
    )
    return [ending(paper, performer, today) for paper, performer in rows]


def papers_told(session: Session, papers: Sequence[EndingPaper]) -> None:
    """Remember that the coming end, or the end, of these papers was told."""
    for paper in papers:
        told = paper.valid_until if paper.days_left >= 0 else paper.valid_until + timedelta(days=1)
        session.execute(update(Paper).where(Paper.id == paper.id).values(warned_for=told))


def papers_settled(session: Session, today: date) -> list[EndingPaper]:
    """The papers whose end was told and that have been renewed, or whose performer is out of use; forgets it.

    The alarms of these may be cleared.
    """
    rows = session.execute(
        select(Paper, Performer)
        .join(Performer, Performer.id == Paper.performer_id)
        .where(Paper.warned_for.is_not(None), is_renewed() | ~Performer.is_active)
        .order_by(Paper.id)
        .with_for_update(of=Paper)
    )
    found = [ending(paper, performer, today) for paper, performer in rows]
    session.execute(update(Paper).where(Paper.id.in_([paper.id for paper in found])).values(warned_for=None))
    return found


def is_renewed() -> ColumnElement[bool]:
    """The condition that a performer holds a paper of the same kind that ends later."""
    later = aliased(Paper)
    return exists().where(
        later.performer_id == Paper.performer_id,
        later.kind == Paper.kind,
        later.valid_until > Paper.valid_until,
    )


def ending(paper: Paper, performer: Performer, today: date) -> EndingPaper:
    """A row as a value."""
    return EndingPaper(
        id=paper.id,
        performer_id=performer.id,
        organisation_id=performer.organisation_id,
        performer_code=performer.code,
        performer_name=performer.name,
        kind=paper.kind,
        valid_until=paper.valid_until,
        days_left=(paper.valid_until - today).days,
    )
