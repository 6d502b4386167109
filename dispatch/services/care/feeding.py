"""Links to calendars: a helper's own, and by consent one for an elder's family; secret, revocable, kept as a hash."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.care import CareFeed, Enrolment, HelperLeave
from dispatch.models.catalogue import Performer
from dispatch.models.grid import Resident
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.vouchers import last_day
from dispatch.services.access import audit, policies, reach, tokens
from dispatch.services.care.checks import resident_in_reach
from dispatch.services.care.entries import Entry, of_family, of_helper
from dispatch.services.care.handing import helper_seen

LONGEST_RELATION = 20
MONTHS = "care.family_link_months"


def give_helper_feed(session: Session, performer_id: int, *, actor: Actor, now: datetime) -> str:
    """A new secret link for a helper in place of the one before; returns its token, which nobody can read again.

    Raises NotFound; a performer has their own calendar only.
    """
    if actor.narrowed and actor.performer_id not in {None, performer_id}:
        raise NotFound
    helper = helper_seen(session, performer_id, actor=actor)
    for before in feeds_of(session, performer_ids=[performer_id], actor=actor):
        revoke_feed(session, before.id, actor=actor, now=now)
    feed = CareFeed(community_id=helper.community_id, performer_id=performer_id, made_by=actor.user_id, made_at=now)
    return keep(session, feed, actor=actor)


def give_family_feed(
    session: Session, resident_id: int, *, relation: str, consented_on: date, actor: Actor, now: datetime
) -> str:
    """A new secret link for an elder's family, on the elder's consent of a day; raises Invalid naming the field."""
    resident = resident_in_reach(session, resident_id, actor=actor)
    if not relation.strip() or len(relation.strip()) > LONGEST_RELATION:
        raise Invalid("relation", "请写明与老人的关系,例如儿子")
    if consented_on > clock.today(now):
        raise Invalid("consented_on", "同意的日期不能晚于今天")
    feed = CareFeed(
        community_id=resident.community_id,
        resident_id=resident_id,
        relation=relation.strip(),
        consented_on=consented_on,
        made_by=actor.user_id,
        made_at=now,
    )
    if clock.today(now) > (last_of(session, feed) or consented_on):
        raise Invalid("consented_on", "这份同意太久了,请重新征得老人同意")
    return keep(session, feed, actor=actor)


def keep(session: Session, feed: CareFeed, *, actor: Actor) -> str:
    """Keep the hash of a new token; the token itself leaves here, this once."""
    token = tokens.new_token()
    feed.token_hash = tokens.hash_of(token)
    session.add(feed)
    session.flush()
    note(session, "give_feed", feed, actor=actor)
    return token


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
        note(session, "revoke_feed", found, actor=actor)
    return found


def revoke_own_feeds(session: Session, *, actor: Actor, now: datetime) -> int:
    """A helper ends their own calendar; how many links opened it. Raises NotFound for who is no helper."""
    if actor.performer_id is None:
        raise NotFound
    found = feeds_of(session, performer_ids=[actor.performer_id], actor=actor)
    for feed in found:
        revoke_feed(session, feed.id, actor=actor, now=now)
    return len(found)


def feeds_of(
    session: Session, *, performer_ids: Iterable[int] = (), resident_ids: Iterable[int] = (), actor: Actor
) -> list[CareFeed]:
    """The calendars that are given out for some helpers or some elders, oldest first."""
    whose = or_(CareFeed.performer_id.in_(list(performer_ids)), CareFeed.resident_id.in_(list(resident_ids)))
    query = select(CareFeed).where(reach.visible(CareFeed, actor), whose, CareFeed.revoked_at.is_(None))
    return list(session.scalars(query.order_by(CareFeed.id)))


def enrolment_of(session: Session, resident_id: int) -> int | None:
    """The newest enrolment of a person, on whose page their family's calendars are listed."""
    query = select(Enrolment.id).where(Enrolment.resident_id == resident_id).order_by(Enrolment.id.desc()).limit(1)
    return session.scalars(query).one_or_none()


def read_feed(session: Session, token: str, *, now: datetime) -> list[Entry]:
    """What the calendar of a link shows; raises NotFound for one that is none or over.

    It is over when it is revoked, when the helper is not in use any more or has left for good, when the elder has left
    the register, and when the consent is too old.
    """
    today = clock.today(now)
    gone = select(HelperLeave.id).where(
        HelperLeave.performer_id == CareFeed.performer_id, HelperLeave.until.is_(None), HelperLeave.starts_on <= today
    )
    query = (
        select(CareFeed)
        .outerjoin(Performer, Performer.id == CareFeed.performer_id)
        .outerjoin(Resident, Resident.id == CareFeed.resident_id)
        .where(CareFeed.token_hash == tokens.hash_of(token), CareFeed.revoked_at.is_(None))
        .where(
            or_(Performer.is_active & ~gone.exists(), CareFeed.resident_id.is_not(None) & Resident.left_at.is_(None))
        )
    )
    feed = session.scalars(query).one_or_none()
    if feed is None or today > (last_of(session, feed) or today):
        raise NotFound
    return (
        of_family(session, feed, today) if feed.performer_id is None else of_helper(session, feed.performer_id, today)
    )


def last_of(session: Session, feed: CareFeed) -> date | None:
    """The last day of a family's calendar: a consent holds as long as the policy says. None for a helper's."""
    if feed.consented_on is None:
        return None
    return last_day(feed.consented_on, int(policies.policy(session, feed.community_id, MONTHS)))


def note(session: Session, deed: str, feed: CareFeed, *, actor: Actor) -> None:
    """The audit entry."""
    audit.record(session, f"care.{deed}", "care_feeds", feed.id, actor=actor, community_id=feed.community_id)
