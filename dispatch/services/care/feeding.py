"""Calendars that Apple, Google and Outlook read (RFC 5545): a helper's visits, and by consent what a family may see.

Words are neutral: 上门探访, 电话问候; no illness, no reason. A family sees only that somebody came, or comes, for the
monthly visit.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from icalendar import Calendar, Event, Timezone, TimezoneStandard
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotFound
from dispatch.models.care import CareFeed, Duty, DutyHandover, DutyOrder, DutyPeriod, Enrolment
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.terms import DutyKind, PeriodState
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services.access import audit, reach
from dispatch.services.care import cases
from dispatch.services.care.checks import resident_in_reach
from dispatch.services.care.handing import helper_seen

TOKEN_BYTES = 24
LONGEST_RELATION = 20
BEHIND, AHEAD = timedelta(days=60), timedelta(days=100)
MOST_EVENTS = 500
OFFSET = timedelta(hours=8)
LAST_SUMMER_TIME = datetime(1991, 9, 15, 1)  # noqa: DTZ001 - local, as a zone's own rules are written
PRODUCT = "-//houqing//dispatch care//ZH"
WORDS: dict[DutyKind, str] = {
    DutyKind.VISIT: "上门探访",
    DutyKind.GREETING: "电话问候",
    DutyKind.MONTHLY_VISIT: "上门探访",
    DutyKind.LIVE_TEST: "上门探访",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A visit of a calendar: stable name, day or window, whether it is called off, where (helpers only)."""

    uid: str
    words: str
    day: date
    window: tuple[datetime, datetime] | None
    sequence: int
    changed_at: datetime
    is_off: bool
    where: str = ""


def give_helper_feed(session: Session, performer_id: int, *, actor: Actor, now: datetime) -> str:
    """A new secret link for a helper; returns its token, which nobody can read again. Raises NotFound."""
    helper = helper_seen(session, performer_id, actor=actor)
    feed = CareFeed(community_id=helper.community_id, performer_id=performer_id, made_by=actor.user_id, made_at=now)
    return keep(session, feed, actor=actor)


def give_family_feed(
    session: Session, resident_id: int, *, relation: str, consented_on: date, actor: Actor, now: datetime
) -> str:
    """A new secret link for an elder's family, on the elder's consent of a day; raises Invalid naming the field."""
    resident = resident_in_reach(session, resident_id, actor=actor)
    if not relation.strip() or len(relation) > LONGEST_RELATION:
        raise Invalid("relation", "请写明与老人的关系,例如儿子")
    if consented_on > now.astimezone(SHANGHAI).date():
        raise Invalid("consented_on", "老人同意的日子不能晚于今天")
    feed = CareFeed(
        community_id=resident.community_id,
        resident_id=resident_id,
        relation=relation.strip(),
        consented_on=consented_on,
        made_by=actor.user_id,
        made_at=now,
    )
    return keep(session, feed, actor=actor)


def keep(session: Session, feed: CareFeed, *, actor: Actor) -> str:
    """Keep the hash of a new token."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    feed.token_hash = hash_of(token)
    session.add(feed)
    session.flush()
    audit.record(session, "care.give_feed", "care_feeds", feed.id, actor=actor, community_id=feed.community_id)
    return token


def hash_of(token: str) -> bytes:
    """What is kept of a token."""
    return sha256(token.encode()).digest()


def find_feed(session: Session, feed_id: int, *, actor: Actor) -> CareFeed:
    """A calendar in reach, locked; raises NotFound."""
    found = session.scalars(
        select(CareFeed).where(CareFeed.id == feed_id, reach.visible(CareFeed, actor)).with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def revoke_feed(session: Session, feed_id: int, *, actor: Actor, now: datetime) -> CareFeed:
    """Its link opens nothing any more; said twice is said once. Raises NotFound."""
    found = find_feed(session, feed_id, actor=actor)
    if found.revoked_at is None:
        found.revoked_at, found.revoked_by = now, actor.user_id
        session.flush()
        audit.record(session, "care.revoke_feed", "care_feeds", found.id, actor=actor, community_id=found.community_id)
    return found


def feeds_of(
    session: Session, *, performer_id: int | None = None, resident_ids: Iterable[int] = (), actor: Actor
) -> list[CareFeed]:
    """The calendars that are given out for a helper or for some elders, oldest first."""
    whose = or_(CareFeed.performer_id == performer_id, CareFeed.resident_id.in_(list(resident_ids)))
    query = select(CareFeed).where(reach.visible(CareFeed, actor), whose, CareFeed.revoked_at.is_(None))
    return list(session.scalars(query.order_by(CareFeed.id)))


def read_feed(session: Session, token: str, *, now: datetime) -> bytes:
    """The calendar of a link as an RFC 5545 file; raises NotFound for an unknown or revoked one."""
    feed = session.scalars(
        select(CareFeed).where(CareFeed.token_hash == hash_of(token), CareFeed.revoked_at.is_(None))
    ).one_or_none()
    if feed is None:
        raise NotFound
    today = now.astimezone(SHANGHAI).date()
    entries = of_helper(session, feed, today) if feed.performer_id is not None else of_family(session, feed, today)
    return written(entries, "上门探访")


def of_helper(session: Session, feed: CareFeed, today: date) -> list[Entry]:
    """What a helper is asked for, and what has been called off or given to others."""
    handed = select(DutyHandover.period_id).where(DutyHandover.from_id == feed.performer_id)
    rows = session.execute(
        select(DutyPeriod, Duty.kind, Duty.enrolment_id, Order.wanted_from, Order.wanted_until)
        .join(Duty, Duty.id == DutyPeriod.duty_id)
        .outerjoin(DutyOrder, (DutyOrder.period_id == DutyPeriod.id) & (DutyOrder.outcome == "under_way"))
        .outerjoin(Order, Order.id == DutyOrder.order_id)
        .where(
            or_(DutyPeriod.helper_id == feed.performer_id, DutyPeriod.id.in_(handed)),
            DutyPeriod.planned_on.between(today - BEHIND, today + AHEAD),
        )
        .order_by(DutyPeriod.planned_on, DutyPeriod.id)
        .limit(MOST_EVENTS)
    ).all()
    homes = {
        case.enrolment.id: case.home.address
        for case in cases.load(session, {row.enrolment_id for row in rows})
        if case.home is not None
    }
    return [
        entry_of(
            period,
            WORDS[DutyKind(kind)],
            window=(begins, ends) if begins is not None and ends is not None else None,
            is_off=period.helper_id != feed.performer_id or period.state in {PeriodState.EXCUSED, PeriodState.MISSED},
            where=homes.get(enrolment_id, ""),
        )
        for period, kind, enrolment_id, begins, ends in rows
    ]


def of_family(session: Session, feed: CareFeed, today: date) -> list[Entry]:
    """The monthly visits of an elder: the day planned, or the day on which somebody came."""
    rows = session.scalars(
        select(DutyPeriod)
        .join(Duty, Duty.id == DutyPeriod.duty_id)
        .join(Enrolment, Enrolment.id == Duty.enrolment_id)
        .where(
            Enrolment.resident_id == feed.resident_id,
            Duty.kind == DutyKind.MONTHLY_VISIT,
            DutyPeriod.until >= today - BEHIND,
        )
        .order_by(DutyPeriod.planned_on, DutyPeriod.id)
        .limit(MOST_EVENTS)
    )
    return [family_entry(period) for period in rows]


def family_entry(period: DutyPeriod) -> Entry:
    """A monthly visit as a family sees it."""
    met = period.state == PeriodState.MET
    words = "上门探访(已完成)" if met else "上门探访"
    off = period.state in {PeriodState.EXCUSED, PeriodState.MISSED}
    return entry_of(period, words, day=period.settled_on if met else None, is_off=off)


def entry_of(
    period: DutyPeriod,
    words: str,
    *,
    day: date | None = None,
    window: tuple[datetime, datetime] | None = None,
    is_off: bool,
    where: str = "",
) -> Entry:
    """A period as a calendar's entry: its name never changes, its number grows with every change."""
    return Entry(
        uid=f"{period.uid}@care.houqing",
        words=words,
        day=day or period.planned_on,
        window=window,
        sequence=period.version,
        changed_at=period.changed_at,
        is_off=is_off,
        where=where,
    )


def written(entries: Iterable[Entry], name: str) -> bytes:
    """The file: one zone, one event an entry."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-timezone", SHANGHAI.key)
    calendar.add("refresh-interval", timedelta(hours=4), parameters={"VALUE": "DURATION"})
    calendar.add_component(zone())
    for entry in entries:
        calendar.add_component(event_of(entry))
    return bytes(calendar.to_ical())


def zone() -> Timezone:
    """Asia/Shanghai as it has been since the last summer time (1991): eight hours, always."""
    made, always = Timezone(), TimezoneStandard()
    made.add("tzid", SHANGHAI.key)
    always.add("dtstart", LAST_SUMMER_TIME)
    always.add("tzoffsetfrom", OFFSET)
    always.add("tzoffsetto", OFFSET)
    always.add("tzname", "CST")
    made.add_component(always)
    return made


def event_of(entry: Entry) -> Event:
    """One event: a window in Shanghai's time, else the whole day."""
    event = Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", entry.changed_at.astimezone(UTC))
    event.add("last-modified", entry.changed_at.astimezone(UTC))
    event.add("sequence", entry.sequence)
    event.add("summary", entry.words)
    event.add("status", "CANCELLED" if entry.is_off else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if entry.window is None else "OPAQUE")
    if entry.where:
        event.add("location", entry.where)
    if entry.window is None:
        event.add("dtstart", entry.day)
        event.add("dtend", entry.day + timedelta(days=1))
    else:
        event.add("dtstart", entry.window[0].astimezone(SHANGHAI))
        event.add("dtend", entry.window[1].astimezone(SHANGHAI))
    return event
