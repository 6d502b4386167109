"""Statements of the supermarket (公示): replayed from the journal, published by themselves, corrected by versions."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import NotFound
from dispatch.models.access import Organisation
from dispatch.models.funds import Entry
from dispatch.models.reports import Disclosure
from dispatch.rules.access.chain import canonical
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.reports.correcting import why
from dispatch.rules.reports.daybook import Line
from dispatch.rules.reports.periods import bounds_of_day, bounds_of_quarter, previous_period, quarter_of
from dispatch.services import notify
from dispatch.services.access import audit, policies
from dispatch.services.reports.disclosing.body import said_of
from dispatch.services.reports.disclosing.leaves import keep_leaves, root_and_count

LATE_POLICY = "statement.publish_within_days"
EMERGENCY_POLICY = "disclosure.emergency"
EMERGENCY_DAYS_POLICY = "disclosure.emergency_every_days"
MOST_LISTED = 100


def days_of_quarter(quarter: str) -> tuple[date, date]:
    """The first and the last day of a quarter."""
    begin, end = bounds_of_quarter(quarter)
    return clock.today(begin), clock.today(end) - timedelta(days=1)


def communities_with_a_journal(session: Session, last: date) -> list[Organisation]:
    """The communities, hidden ones aside, whose journal had begun by a day: they owe a statement."""
    begun = select(Entry.community_id).where(Entry.seq == 1, Entry.posted_on <= last)
    query = select(Organisation).where(Organisation.id.in_(begun), ~Organisation.is_hidden)
    return list(session.scalars(query.order_by(Organisation.id)))


def disclose_quarter(session: Session, quarter: str, *, now: datetime) -> int:
    """Publish the statement of a quarter for every community with a journal; returns how many versions were made.

    Repeating makes nothing new. One that is published later than the policy allows stands with an alarm.
    """
    first, last = days_of_quarter(quarter)
    made = 0
    for community in communities_with_a_journal(session, last):
        if disclose(session, community, first, last, now=now):
            made += 1
            if now > late_after(session, community.id, last):
                alarm(session, community.id, first, level="notice")
    return made


def disclose_emergencies(session: Session, *, now: datetime) -> int:
    """While an emergency is declared: publish the last finished days, five at a time, once; returns how many."""
    today, made = clock.today(now), 0
    for community in communities_with_a_journal(session, today):
        if not policies.policy(session, community.id, EMERGENCY_POLICY):
            continue
        days = int(policies.policy(session, community.id, EMERGENCY_DAYS_POLICY))
        last = date.fromordinal(today.toordinal() // days * days) - timedelta(days=1)
        first = last - timedelta(days=days - 1)
        if newest(session, community.id, first, last) is None:
            made += disclose(session, community, first, last, now=now)
    return made


def newest(session: Session, community_id: int, first: date, last: date) -> Disclosure | None:
    """The newest version of a period's statement."""
    query = select(Disclosure).where(
        Disclosure.community_id == community_id, Disclosure.first_day == first, Disclosure.last_day == last
    )
    return session.scalars(query.order_by(Disclosure.version.desc()).limit(1)).one_or_none()


def disclose(session: Session, community: Organisation, first: date, last: date, *, now: datetime) -> bool:
    """Publish a new version of a community's statement unless the last one says the same already."""
    root, count = root_and_count(session, community.id, first, last)
    said = said_of(session, community, first, last)
    body = said.body | {"gifts": {"lines": count, "root": root.hex()}}
    digest = sha256(canonical(body)).digest()
    before = newest(session, community.id, first, last)
    if before is not None and before.digest == digest:
        return False
    made = Disclosure(
        community_id=community.id,
        first_day=first,
        last_day=last,
        version=1 if before is None else before.version + 1,
        body=body,
        digest=digest,
        root=root,
        leaf_count=count,
        note="" if before is None else why(before.body, body),
        published_at=now,
        day_book=said.day_book,
    )
    session.add(made)
    session.flush()
    keep_leaves(session, made)
    notify.clear_alarms(session, subject=subject_of(community.id, first), kinds=("disclosure_late",), now=now)
    audit.record(
        session,
        "reports.disclose",
        "disclosures",
        made.id,
        actor=SYSTEM,
        community_id=community.id,
        fields={"first_day": first.isoformat(), "version": str(made.version)},
    )
    return True


def list_disclosures(session: Session, community_id: int) -> list[Disclosure]:
    """The published statements of a community, newest first."""
    query = select(Disclosure).where(Disclosure.community_id == community_id)
    return list(session.scalars(query.order_by(Disclosure.last_day.desc(), Disclosure.id.desc()).limit(MOST_LISTED)))


def shared_days(chosen: Disclosure, published: Sequence[Disclosure]) -> list[tuple[Disclosure, date, date]]:
    """The other periods that have days of this one, the newest version of each, with the first and last such day."""
    newest = {(one.first_day, one.last_day): one for one in reversed(published)}
    newest.pop((chosen.first_day, chosen.last_day), None)
    return [
        (one, max(first, chosen.first_day), min(last, chosen.last_day))
        for (first, last), one in sorted(newest.items())
        if first <= chosen.last_day and last >= chosen.first_day
    ]


def find_disclosure(session: Session, community_id: int, disclosure_id: int) -> Disclosure:
    """A published statement of a community; raises NotFound."""
    found = session.get(Disclosure, disclosure_id)
    if found is None or found.community_id != community_id:
        raise NotFound
    return found


def day_book_of(session: Session, disclosure_id: int) -> list[Line]:
    """The day book that was published with a statement."""
    found: list[Line] = session.scalars(select(Disclosure.day_book).where(Disclosure.id == disclosure_id)).one()
    return found


def late_after(session: Session, community_id: int, last: date) -> datetime:
    """The instant from which the statement of a period is late."""
    days = int(policies.policy(session, community_id, LATE_POLICY))
    return bounds_of_day(last)[1] + timedelta(days=days)


def subject_of(community_id: int, first: date) -> str:
    """What alarms about a statement are about."""
    return f"disclosure:{community_id}:{first.isoformat()}"


def alarm(session: Session, community_id: int, first: date, *, level: str) -> None:
    """Say that a statement is, or was published, late."""
    facts = {"from": first.isoformat()}
    subject = subject_of(community_id, first)
    notify.raise_alarm(
        session, kind="disclosure_late", subject=subject, level=level, community_id=community_id, facts=facts
    )


def alarm_late_disclosures(session: Session, *, now: datetime) -> list[int]:
    """Alarm every community whose statement of the last quarter should be out and is not; returns their ids."""
    first, last = days_of_quarter(previous_period(quarter_of(now)))
    late = [
        community.id
        for community in communities_with_a_journal(session, last)
        if newest(session, community.id, first, last) is None and now > late_after(session, community.id, last)
    ]
    for community_id in late:
        alarm(session, community_id, first, level="warning")
    return late
