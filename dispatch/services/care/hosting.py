"""Hosting a festival: who comes, who is fetched, who came, who helps, pictures by consent; who is invited no more."""

from collections.abc import Collection, Sequence
from datetime import datetime, time

from sqlalchemy import ColumnElement, any_, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.care import FestivalEvent, FestivalHelper, FestivalInvitation, FestivalPicture
from dispatch.models.grid import Household, Resident, WorkResource
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Actor
from dispatch.rules.care.festivals import Answer, Guest, rides
from dispatch.rules.orders.states import AFTER_WORK, OPEN, OrderState
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import notify, orders
from dispatch.services.access import audit, files, reach
from dispatch.services.care.celebrating import PLANNED, find_event, note, subject_of
from dispatch.services.care.checks import desk_of

ORIGIN, RIDE = "care.ride", "elder_transport"
FROM, UNTIL = time(8, 30), time(11, 0)
LONGEST_WORDS = 100
HELPERS = ("party_member", "artist")
SUBJECT = "festival_pictures"
HELD = "held"


class NotYetHeld(Conflict):
    """活动的日子还没有到"""


class AlreadyHeld(Conflict):
    """活动已经办过了,不用再派人去接"""


def answer_invitation(
    session: Session, invitation_id: int, answer: Answer, *, wants_ride: bool, may_picture: bool, actor: Actor
) -> FestivalInvitation:
    """Note what somebody said; raises NotFound for one who is not invited any more, Invalid naming the field."""
    found = find_invitation(session, invitation_id, actor=actor, locked=True)
    if answer is Answer.LAPSED:
        raise Invalid("answer", "请选择来还是不来")
    found.answer, found.may_picture = str(answer), may_picture
    found.wants_ride = wants_ride and answer is Answer.COMES
    if found.wants_ride and session.get_one(Resident, found.resident_id).household_id is None:
        raise Invalid("wants_ride", "台账里没有这位老人的住址，没有地方去接，请先补上住址")
    session.flush()
    audit.record(
        session, "care.answer_invitation", "festival_invitations", found.id, actor=actor,
        community_id=found.community_id,
    )  # fmt: skip
    return found


def send_rides(session: Session, event_id: int, *, actor: Actor, now: datetime) -> int:
    """An order for each home that somebody is fetched from and has none yet; how many. Raises NotFound, AlreadyHeld."""
    event = find_event(session, event_id, actor=actor, locked=True)
    if event.state == HELD or event.held_on < clock.today(now):
        raise AlreadyHeld
    query = select(FestivalInvitation).where(
        FestivalInvitation.event_id == event.id,
        FestivalInvitation.wants_ride,
        FestivalInvitation.answer == str(Answer.COMES),
        FestivalInvitation.order_id.is_(None),
    )
    waiting = {one.resident_id: one for one in session.scalars(query.with_for_update()).all()}
    homes = select(Resident.id, Resident.household_id).where(Resident.id.in_(waiting))
    coming = [Guest(resident_id, home_id) for resident_id, home_id in session.execute(homes)]
    placed = 0
    for ride in rides(coming, {one.resident_id: True for one in coming}):
        if ride[0].household_id is None:
            continue
        order_id = fetch(session, event, ride, now=now)
        for guest in ride:
            waiting[guest.resident_id].order_id = order_id
        placed += 1
    session.flush()
    note(session, "send_rides", event, actor=actor)
    return placed


def fetch(session: Session, event: FestivalEvent, ride: Sequence[Guest], *, now: datetime) -> int:
    """The order that fetches the people of one home; returns its id."""
    home = session.get_one(Household, ride[0].household_id)
    resident = session.get_one(Resident, ride[0].resident_id)
    begins = datetime.combine(event.held_on, FROM, SHANGHAI)
    is_ahead = begins > now
    draft = orders.OrderDraft(
        description=f"接老人参加活动，{len(ride)} 人，送到：{event.place or '社区'}",
        service_code=RIDE,
        stairwell_id=home.stairwell_id,
        room=home.room,
        caller_name=resident.name,
        caller_resident_id=resident.id,
        wanted_from=begins if is_ahead else None,
        wanted_until=datetime.combine(event.held_on, UNTIL, SHANGHAI) if is_ahead else None,
        source="programme",
        origin=ORIGIN,
        origin_id=event.id,
        occasion="+".join(str(one.resident_id) for one in ride),
        organisation_id=desk_of(session, event.community_id),
    )
    return orders.receive(session, draft, actor=SYSTEM, now=now).id


def note_attendance(
    session: Session, event_id: int, present: Collection[int], *, actor: Actor, now: datetime
) -> FestivalEvent:
    """Note who came (invitations), on the day or after it; raises NotFound, NotYetHeld, Invalid("present")."""
    event = find_event(session, event_id, actor=actor, locked=True)
    if event.held_on > clock.today(now):
        raise NotYetHeld
    rows = session.scalars(select(FestivalInvitation).where(FestivalInvitation.event_id == event.id)).all()
    if not set(present) <= {one.id for one in rows if one.answer != Answer.LAPSED}:
        raise Invalid("present", "有人不在邀请名单里,请刷新后再记")
    for one in rows:
        one.attended = one.id in set(present)
    event.state = HELD
    session.flush()
    note(session, "note_attendance", event, actor=actor)
    notify.clear_alarms(session, kinds=(PLANNED,), subject=subject_of(event), now=now)
    return event


def helpers_of(session: Session, event_id: int, *, actor: Actor) -> list[tuple[WorkResource, bool]]:
    """The 党员 and 文艺骨干 who live here and have agreed to be asked, each with whether they help at an event."""
    event = find_event(session, event_id, actor=actor)
    helps = select(FestivalHelper.resource_id).where(
        FestivalHelper.event_id == event.id, FestivalHelper.resource_id == WorkResource.id
    )
    gone = select(Resident.id).where(Resident.left_at.is_not(None))
    query = (
        select(WorkResource, helps.exists())
        .where(
            WorkResource.community_id == event.community_id,
            WorkResource.kind.in_(HELPERS),
            WorkResource.consented_at.is_not(None),
            WorkResource.resident_id.not_in(gone) | WorkResource.resident_id.is_(None),
        )
        .order_by(WorkResource.kind, WorkResource.name, WorkResource.id)
    )
    return [(resource, bool(is_helping)) for resource, is_helping in session.execute(query)]


def choose_helpers(session: Session, event_id: int, resource_ids: Collection[int], *, actor: Actor) -> int:
    """Let these help, and nobody else; raises NotFound, Invalid("helpers")."""
    known = helpers_of(session, event_id, actor=actor)
    event = find_event(session, event_id, actor=actor, locked=True)
    wanted = set(resource_ids)
    if not wanted <= {resource.id for resource, _ in known}:
        raise Invalid("helpers", "请从党员和文艺骨干里选择")
    for resource, is_helping in known:
        row = {"event_id": event.id, "resource_id": resource.id, "community_id": event.community_id}
        if resource.id in wanted and not is_helping:
            session.add(FestivalHelper(**row))
        if resource.id not in wanted and is_helping:
            session.delete(session.get_one(FestivalHelper, (event.id, resource.id)))
    session.flush()
    note(session, "choose_festival_helpers", event, actor=actor)
    return len(wanted)


def add_picture(
    session: Session, event_id: int, data: bytes, *, words: str, shown: Collection[int], actor: Actor, now: datetime
) -> FestivalPicture:
    """Keep a picture when everybody on it has consented; raises NotFound, Invalid naming the field."""
    event = find_event(session, event_id, actor=actor, locked=True)
    if event.held_on > clock.today(now):
        raise NotYetHeld
    consented = select(FestivalInvitation.id).where(
        FestivalInvitation.event_id == event.id, FestivalInvitation.may_picture
    )
    if not set(shown) <= set(session.scalars(consented)):
        raise Invalid("shown", "照片里有人没有同意拍照,不能保存")
    if len(words) > LONGEST_WORDS:
        raise Invalid("words", "说明不超过100字")
    made = FestivalPicture(
        community_id=event.community_id,
        event_id=event.id,
        words=words.strip(),
        shown=sorted(set(shown)),
        added_by=actor.user_id,
        added_at=now,
    )
    session.add(made)
    session.flush()
    files.store_image(
        session,
        data,
        subject=SUBJECT,
        subject_id=made.id,
        purpose="photo",
        community_id=event.community_id,
        actor=actor,
        now=now,
    )
    note(session, "add_festival_picture", event, actor=actor)
    return made


def lapse_invitations(session: Session, resident_id: int, *, now: datetime) -> list[int]:
    """Who has died or moved away is invited no more; a ride for them alone is called back. The ids that lapsed."""
    query = (
        select(FestivalInvitation)
        .join(FestivalEvent, FestivalEvent.id == FestivalInvitation.event_id)
        .where(
            FestivalInvitation.resident_id == resident_id,
            FestivalInvitation.answer != str(Answer.LAPSED),
            FestivalEvent.held_on >= clock.today(now),
            FestivalEvent.state == "planned",
        )
        .with_for_update(of=FestivalInvitation)
    )
    found = session.scalars(query).all()
    for one in found:
        one.answer = str(Answer.LAPSED)
        session.flush()
        call_back(session, one, now=now)
    return [one.id for one in found]


def call_back(session: Session, invitation: FestivalInvitation, *, now: datetime) -> None:
    """Call back the ride of an invitation that lapsed, unless somebody else is fetched by it."""
    if invitation.order_id is None:
        return
    others = select(FestivalInvitation.id).where(
        FestivalInvitation.order_id == invitation.order_id, FestivalInvitation.answer == str(Answer.COMES)
    )
    order: Order = orders.lock(session, invitation.order_id)
    if session.scalars(others).first() is None and OrderState(order.state) in OPEN - AFTER_WORK:
        orders.void(session, order, reason="不再参加活动", actor=SYSTEM, now=now)


def invite_again(session: Session, invitation_id: int) -> None:
    """An invitation that lapsed by mistake is asked anew."""
    found = session.get_one(FestivalInvitation, invitation_id)
    found.answer, found.wants_ride, found.order_id = str(Answer.ASKED), False, None
    session.flush()


def pictures_of(session: Session, event_id: int, *, actor: Actor) -> Sequence[FestivalPicture]:
    """The pictures of an event on which everybody still consents, the newest first."""
    query = select(FestivalPicture).where(
        FestivalPicture.event_id == event_id, reach.visible(FestivalPicture, actor), is_agreed()
    )
    return session.scalars(query.order_by(FestivalPicture.id.desc())).all()


def is_agreed() -> ColumnElement[bool]:
    """The pictures of which nobody has taken the consent back."""
    against = select(FestivalInvitation.id).where(
        FestivalInvitation.id == any_(FestivalPicture.shown), ~FestivalInvitation.may_picture
    )
    return ~against.exists()


def read_picture(session: Session, picture_id: int, *, actor: Actor) -> files.Content:
    """A picture of an event, its reading audited; raises NotFound, also where somebody on it consents no more."""
    if session.scalars(select(FestivalPicture.id).where(FestivalPicture.id == picture_id, is_agreed())).first() is None:
        raise NotFound
    kept = files.list_files(session, SUBJECT, picture_id, actor=actor)
    if not kept:
        raise NotFound
    return files.read_file(session, kept[0].uid, actor=actor)


def find_invitation(session: Session, invitation_id: int, *, actor: Actor, locked: bool = False) -> FestivalInvitation:
    """Somebody who is invited, in reach, locked when asked; raises NotFound."""
    query = select(FestivalInvitation).where(
        FestivalInvitation.id == invitation_id,
        FestivalInvitation.answer != str(Answer.LAPSED),
        reach.visible(FestivalInvitation, actor),
    )
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found
