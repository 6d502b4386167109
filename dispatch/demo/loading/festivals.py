"""A chunk of the load: the last festival as it was held, and the next, to which everybody was asked."""

from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.demo.loading.book import Book
from dispatch.demo.organisations import COMMUNITY
from dispatch.models.care import Festival, FestivalEvent
from dispatch.rules.care.festivals import Answer, Calendar, Yearly, day_in
from dispatch.services.care import celebrating, hosting

OWN: Final = "社区敬老日"
PLACE: Final = "后庆文化广场"
SOON = timedelta(days=12)
DECLINED = frozenset({4, 13})
SILENT = frozenset({5, 6, 14, 15, 16, 20})
RIDDEN, PICTURED = 3, 2
"""Every third is fetched, every second may be on a picture."""
HELPERS = 6
SIZE, RED, GOLD, PAPER = (640, 420), (190, 40, 40), (235, 180, 60), (250, 240, 225)


def load_festivals(session: Session, book: Book) -> int:
    """The festivals of the document and one of the community's own; one was, one comes. 0 when they are there."""
    community_id = book.known(session).organisations()[COMMUNITY]
    if session.scalars(select(Festival.id).where(Festival.community_id == community_id)).first() is not None:
        return 0
    celebrating.begin_festivals(session, community_id, actor=book.actor)
    last = planned_last(session, community_id)
    settle(session, book, last, now=clock.now(session) - (clock.today(clock.now(session)) - last.held_on))
    answer(session, book, last, silent=frozenset())
    hold(session, book, last)
    following = planned_next(session, book, community_id)
    answer(session, book, following, silent=SILENT)
    settle(session, book, following, now=clock.now(session))
    hosting.send_rides(session, following.id, actor=book.actor, now=clock.now(session))
    return 2


def planned_last(session: Session, community_id: int) -> FestivalEvent:
    """The newest of the document's that is over, with everybody who is invited."""
    now = clock.now(session)
    today = clock.today(now)
    over: list[tuple[date, int, Festival]] = []
    for festival in session.scalars(select(Festival).where(Festival.community_id == community_id)).all():
        yearly = Yearly(Calendar(festival.calendar), festival.month, festival.day)
        days = [(day_in(yearly, year), year, festival) for year in (today.year - 1, today.year)]
        over += [one for one in days if one[0] < today]
    day, year, festival = max(over, key=lambda one: one[0])
    celebrating.plan(session, festival, year, day, now=now)
    return event_of(session, festival, year)


def planned_next(session: Session, book: Book, community_id: int) -> FestivalEvent:
    """A festival of the community itself, near enough to be planned by the daily job's own step."""
    now = clock.now(session)
    day = clock.today(now) + SOON
    yearly = Yearly(Calendar.SOLAR, day.month, day.day)
    own = celebrating.add_festival(session, community_id, OWN, yearly, actor=book.actor)
    celebrating.plan_festivals(session, community_id=community_id, now=now)
    return event_of(session, own, day.year)


def event_of(session: Session, festival: Festival, year: int) -> FestivalEvent:
    """A festival's event of a year."""
    query = select(FestivalEvent).where(FestivalEvent.festival_id == festival.id, FestivalEvent.year == year)
    return session.scalars(query).one()


def answer(session: Session, book: Book, event: FestivalEvent, *, silent: frozenset[int]) -> None:
    """What each of them said."""
    for number, one in enumerate(celebrating.invitations_of(session, event.id, actor=book.actor)):
        if number in silent:
            continue
        comes = Answer.DECLINES if number in DECLINED else Answer.COMES
        wishes = {"wants_ride": number % RIDDEN == 0, "may_picture": number % PICTURED == 0}
        hosting.answer_invitation(session, one.invitation.id, comes, **wishes, actor=book.actor)


def hold(session: Session, book: Book, event: FestivalEvent) -> None:
    """Who helped and came, and a picture of some who have consented."""
    helpers = hosting.helpers_of(session, event.id, actor=book.actor)
    chosen = [resource.id for resource, _ in helpers[:: len(helpers) // HELPERS][:HELPERS]]
    hosting.choose_helpers(session, event.id, chosen, actor=book.actor)
    invited = [one.invitation for one in celebrating.invitations_of(session, event.id, actor=book.actor)]
    came = [one.id for one in invited if one.answer == Answer.COMES][1:]
    by = {"actor": book.actor, "now": clock.now(session)}
    hosting.note_attendance(session, event.id, came, **by)
    shown = [one.id for one in invited if one.may_picture and one.id in came][:HELPERS]
    hosting.add_picture(session, event.id, drawn(), words="一起做重阳糕", shown=shown, **by)


def settle(session: Session, book: Book, event: FestivalEvent, *, now: datetime) -> None:
    """Where it is."""
    celebrating.settle_event(session, event.id, held_on=event.held_on, place=PLACE, actor=book.actor, now=now)


def drawn() -> bytes:
    """A picture that shows nobody: lanterns over a square."""
    image = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(image)
    for left in range(40, SIZE[0], 120):
        pen.line([(left + 40, 0), (left + 40, 90)], fill=GOLD, width=4)
        pen.ellipse([left, 90, left + 80, 170], fill=RED, outline=GOLD, width=4)
    pen.rectangle([0, 330, *SIZE], fill=GOLD)
    target = BytesIO()
    image.save(target, "JPEG")
    return target.getvalue()
