"""A station of counselling: a counsellor with a service and times, whoever books, and what the clock shows."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.access import Membership
from dispatch.models.care import Appointment, CounsellingSlot, Counsellor
from dispatch.models.catalogue import Service
from dispatch.rules.access.roles import SYSTEM, Actor, ActorKind, Role, Scope, rights_of
from dispatch.rules.care.counselling import Source
from dispatch.services.care import counselling
from dispatch.services.care.counselling import Booking
from dispatch.services.care.counselling.sealing import Cost, NewPassphrase
from tests.factories.world import World, make_world, service, user

HOUR = timedelta(hours=1)
CHEAP = Cost(mebibytes=1, passes=1, lanes=1)
"""For keys that live as long as a test; what a door makes costs the full price."""


@dataclass(frozen=True, slots=True)
class Station:
    """A community with a service, a counsellor who offers it, and a stranger who may book."""

    world: World
    kind: Service
    counsellor: Counsellor
    acting: Actor
    visitor: Actor

    @property
    def community_id(self) -> int:
        """The community of the station."""
        return self.world.community.id


def make_station(session: Session, *, code: str = "counsel_individual") -> Station:
    """A station in a world of its own."""
    world = make_world(session)
    kind = service(session, world.district, code, offered=["counselling"], form="one_to_one", confidential=True)
    counsellor, acting = make_counsellor(session, world, kind)
    scope = Scope(communities=frozenset({world.community.id}))
    return Station(world, kind, counsellor, acting, Actor(kind=ActorKind.SYSTEM, scope=scope))


def chosen(words: str) -> NewPassphrase:
    """A passphrase for a key that lives as long as a test."""
    return NewPassphrase(words, CHEAP)


def make_counsellor(session: Session, world: World, kind: Service) -> tuple[Counsellor, Actor]:
    """A counsellor of the community and the actor that this person is."""
    person = user(session)
    community_id = world.community.id
    session.add(Membership(user_id=person.id, organisation_id=community_id, role=str(Role.COUNSELLOR)))
    session.flush()
    made = counselling.appoint(
        session,
        community_id,
        user_id=person.id,
        shown_as="林老师",
        institute="绿谷健康教育研究所",
        service_ids=[kind.id],
        actor=SYSTEM,
        now=clock.now(session),
    )
    return made, counsellor_actor(person.id, community_id)


def counsellor_actor(user_id: int, community_id: int) -> Actor:
    """A counsellor who is logged in."""
    return Actor(
        kind=ActorKind.OPERATOR,
        user_id=user_id,
        organisation_id=community_id,
        roles=frozenset({Role.COUNSELLOR}),
        rights=rights_of([Role.COUNSELLOR]),
        scope=Scope(organisations=frozenset({community_id}), communities=frozenset({community_id})),
    )


def open_slot(session: Session, station: Station, *, hours: float = 48, acting: Actor | None = None) -> CounsellingSlot:
    """An hour that the counsellor opens, some hours from now."""
    now = clock.now(session)
    begins = now + hours * HOUR
    made = counselling.open_slots(session, begins, begins + HOUR, "二楼小间", actor=acting or station.acting, now=now)
    return made[0]


def asks(station: Station, slot: CounsellingSlot | None = None, *, number: int = 1) -> Booking:
    """What somebody with a telephone of their own asks for on the web: a time, or to wait for one."""
    phone = f"139000{number:05}"
    return Booking(station.kind.id, Source.WEB, "小雨", slot.id if slot is not None else None, phone=phone)


def booked(session: Session, station: Station, slot: CounsellingSlot | None = None, *, number: int = 1) -> Appointment:
    """The appointment that comes of it."""
    now = clock.now(session)
    asked = asks(station, slot, number=number)
    return counselling.book(session, station.community_id, asked, actor=station.visitor, now=now)[0]


def past(session: Session, appointment: Appointment, *, hours: float) -> datetime:
    """The instant some hours after the appointment began."""
    session.refresh(appointment)
    assert appointment.during is not None
    assert appointment.during.lower is not None
    return appointment.during.lower + hours * HOUR


def without_phone(asked: Booking) -> Booking:
    """The same at the desk, where nobody has to leave a number."""
    return replace(asked, phone="", source=Source.DESK)


__all__ = [
    "HOUR",
    "Station",
    "asks",
    "booked",
    "chosen",
    "counsellor_actor",
    "make_counsellor",
    "make_station",
    "open_slot",
    "past",
    "without_phone",
]


def with_phone_and_mail(session: Session, world: World) -> Appointment:
    """An appointment of somebody of a world who left both."""
    kind = service(
        session, world.district, "counsel_individual", offered=["counselling"], form="one_to_one", confidential=True
    )
    station = Station(world, kind, *make_counsellor(session, world, kind), SYSTEM)
    asked = replace(asks(station, open_slot(session, station)), email="rain@example.org")
    return counselling.book(session, world.community.id, asked, actor=SYSTEM, now=clock.now(session))[0]
