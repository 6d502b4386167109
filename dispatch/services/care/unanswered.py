"""Two calls that nobody answers within two hours: the stairwell leader is sent.

Where the stairwell has no leader, the group leader of the building goes, else the chief of the area.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import Contact
from dispatch.models.catalogue import Performer
from dispatch.models.grid import Post, Resident
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.care.alarming import both_unanswered
from dispatch.rules.orders.states import AFTER_WORK, OPEN
from dispatch.services import catalogue, grid, notify, orders
from dispatch.services.access import policies
from dispatch.services.care.cases import Case, Home
from dispatch.services.care.checks import desk_of
from dispatch.services.care.placing import phone_of
from dispatch.services.grid import PostKind

ORIGIN = "care.unanswered"
KIND = "door_check"
WINDOW = "care.unanswered_calls_window_hours"
ALWAYS = ("1-7 00:00-24:00",)
AT_ONCE = 3


def hear_unanswered(session: Session, contact: Contact, found: Sequence[Case], *, now: datetime) -> int | None:
    """After a call that nobody answered: the second within the window sends the stairwell leader; the order's id.

    While somebody is on the way already, nobody more is sent.
    """
    hours = int(policies.policy(session, contact.community_id, WINDOW))
    calls = session.scalars(
        select(Contact.happened_at).where(
            Contact.household_id == contact.household_id,
            ~Contact.answered,
            Contact.happened_at > contact.happened_at - timedelta(hours=hours, minutes=1),
        )
    ).all()
    home = next((case.home for case in found if case.home is not None), None)
    if home is None or not both_unanswered(calls, contact.happened_at, hours):
        return None
    return on_the_way(session, contact) or send_leader(session, contact, home, found[0].people, now=now)


def on_the_way(session: Session, contact: Contact) -> int | None:
    """The order of a leader who was sent to the same home and has not been there yet."""
    query = (
        select(Order.id)
        .join(Contact, Contact.id == Order.origin_id)
        .where(
            Order.origin == ORIGIN,
            Contact.household_id == contact.household_id,
            Order.state.in_([str(state) for state in OPEN - AFTER_WORK]),
        )
    )
    return session.scalars(query.limit(1)).one_or_none()


def send_leader(
    session: Session, contact: Contact, home: Home, people: Sequence[Resident], *, now: datetime
) -> int | None:
    """Send the leader, and have the desk ring them up: not every leader has a mailbox. None when nobody has a post."""
    community_id, day = contact.community_id, clock.today(now)
    post = leader_of(session, home, day)
    facts = {"post": post.kind if post is not None else ""}
    subject = f"household:{contact.household_id}:{day.isoformat()}"
    if post is None:
        notify.raise_alarm(
            session, kind="calls_unanswered", subject=subject, level="emergency", community_id=community_id, facts=facts
        )
        return None
    elder = people[0] if people else None
    draft = orders.OrderDraft(
        description="两次问候电话没有人接,请马上上门看看",
        service_code=KIND,
        stairwell_id=home.stairwell_id,
        room=home.room,
        caller_name=elder.name if elder else None,
        caller_phone=phone_of(elder) if elder else None,
        caller_resident_id=elder.id if elder else None,
        source="programme",
        origin=ORIGIN,
        origin_id=contact.id,
        occasion="leader",
        organisation_id=desk_of(session, community_id),
        named_performer_id=performer_of(session, post, home),
    )
    order_id = orders.receive(session, draft, actor=SYSTEM, now=now).id
    notify.raise_alarm(
        session,
        kind="calls_unanswered",
        subject=subject,
        level="emergency",
        community_id=community_id,
        order_id=order_id,
        facts=facts,
    )
    return order_id


def leader_of(session: Session, home: Home, day: date) -> Post | None:
    """Who is nearest: the leader of the stairwell, of the building, the chief of the area."""
    cells = (
        (PostKind.STAIRWELL_LEADER, home.stairwell_id),
        (PostKind.GROUP_LEADER, home.building_id),
        (PostKind.AREA_CHIEF, home.area_id),
    )
    for kind, cell_id in cells:
        post = grid.holder_of_post(session, kind, cell_id, day)
        if post is not None:
            return post
    return None


def performer_of(session: Session, post: Post, home: Home) -> int:
    """The leader as somebody who can be sent: entered once, by the post."""
    code = f"LD{post.id}"
    known = session.scalars(
        select(Performer.id).where(Performer.organisation_id == post.community_id, Performer.code == code)
    ).one_or_none()
    if known is not None:
        return known
    resident = session.get(Resident, post.resident_id) if post.resident_id is not None else None
    new = catalogue.NewPerformer(
        uid=uuid5(NAMESPACE_OID, f"houqing/post/{post.id}"),
        organisation_id=post.community_id,
        community_id=post.community_id,
        kind="helper",
        code=code,
        name=post.holder_name,
        uscc=None,
        team_id=None,
        user_id=post.user_id,
        resident_id=post.resident_id,
        phone=phone_of(resident) if resident is not None else None,
        email=None,
        webhook_url=None,
        webhook_secret=None,
        channel="app",
        latitude=home.point[0],
        longitude=home.point[1],
        capacity=AT_ONCE,
        shifts=catalogue.shifts_of(ALWAYS),
        satisfaction_permille=900,
        service_codes=(KIND,),
        areas=None,
        papers=(),
    )
    return catalogue.create_performer(session, post.community_id, new, actor=SYSTEM)
