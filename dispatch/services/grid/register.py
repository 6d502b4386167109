"""The registers: households and residents, units and merchants, work resources; moving keeps history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.grid import (
    Establishment,
    Household,
    Residence,
    Resident,
    Stairwell,
    WorkResource,
)
from dispatch.rules.access.roles import Actor
from dispatch.rules.catalogue.search import pinyin_sort_key
from dispatch.rules.grid.identity import check_resident_id, check_uscc
from dispatch.rules.grid.phone import normalise_phone
from dispatch.services.access import audit, vault
from dispatch.services.grid.build import demand_community, insert_all

LONGEST_NAME = 60
LONGEST_ROOM = 20
UNIQUE_VIOLATION = "23505"


class AlreadyRegistered(Conflict):
    """台账里已经有这个身份证号或统一社会信用代码"""


@dataclass(frozen=True, slots=True)
class ResidentDraft:
    """A resident to be entered. `since` is the day of moving in; `sensitive` is free text, stored sealed."""

    name: str
    household_id: int | None = None
    since: date | None = None
    sex: str | None = None
    birth_date: date | None = None
    phone: str | None = None
    identity_number: str | None = None
    lives_alone: bool = False
    sensitive: str | None = None


@dataclass(frozen=True, slots=True)
class EstablishmentDraft:
    """A unit (kind "unit") or merchant ("merchant") to be entered, with its unified social credit code."""

    kind: str
    name: str
    uscc: str
    area_id: int
    building_id: int | None = None
    contact_name: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceDraft:
    """A line of the register of work resources; `consented_at` is when the person agreed to be asked."""

    kind: str
    name: str
    skills: tuple[str, ...] = ()
    resident_id: int | None = None
    establishment_id: int | None = None
    times: Mapping[str, Sequence[str]] | None = None
    consented_at: datetime | None = None


def register_households(
    session: Session, community_id: int, homes: Sequence[tuple[int, str]], *, actor: Actor
) -> list[int]:
    """Enter homes (stairwell id, room) and return their ids in the order given; known ones are used again."""
    demand_community(actor, community_id)
    if any(not room.strip() or len(room) > LONGEST_ROOM for _, room in homes):
        raise Invalid("room", "室号应为1到20个字")
    rows = [{"community_id": community_id, "stairwell_id": stairwell, "room": room} for stairwell, room in homes]
    if rows:
        session.execute(insert(Household).on_conflict_do_nothing(), rows)
    query = select(Household.stairwell_id, Household.room, Household.id).where(
        Household.community_id == community_id,
        Household.stairwell_id.in_({stairwell for stairwell, _ in homes}),
    )
    known = {(stairwell, room): identity for stairwell, room, identity in session.execute(query).all()}
    _record(session, "grid.register_households", "households", community_id, number=len(rows), actor=actor)
    return [known[home] for home in homes]


def register_residents(
    session: Session, community_id: int, drafts: Sequence[ResidentDraft], *, actor: Actor, now: datetime
) -> list[int]:
    """Enter residents and return their ids in the order given; phone, ID number and remarks are sealed.

    Sex and birth date are those of the ID number where it is given. Raises Invalid naming the field,
    AlreadyRegistered for an ID number that the community has.
    """
    demand_community(actor, community_id)
    rows = [_resident_row(community_id, one) for one in drafts]
    ids = _insert_once(session, Resident, rows)
    lived = [
        {
            "community_id": community_id,
            "resident_id": identity,
            "household_id": one.household_id,
            "valid_from": one.since or clock.today(now),
        }
        for identity, one in zip(ids, drafts, strict=True)
        if one.household_id is not None
    ]
    insert_all(session, Residence, lived)
    _record(session, "grid.register_residents", "residents", community_id, number=len(ids), actor=actor)
    return ids


def register_establishments(
    session: Session, community_id: int, drafts: Sequence[EstablishmentDraft], *, actor: Actor
) -> list[int]:
    """Enter units and merchants; raises Invalid("uscc" | "phone" | "name", …), AlreadyRegistered."""
    demand_community(actor, community_id)
    rows = [_establishment_row(community_id, one) for one in drafts]
    ids = _insert_once(session, Establishment, rows)
    _record(session, "grid.register_establishments", "establishments", community_id, number=len(ids), actor=actor)
    return ids


def register_resources(
    session: Session, community_id: int, drafts: Sequence[ResourceDraft], *, actor: Actor
) -> list[int]:
    """Enter work resources: people and partner units who can help, with skills, times and consent."""
    demand_community(actor, community_id)
    rows = [
        {
            "community_id": community_id,
            "kind": one.kind,
            "resident_id": one.resident_id,
            "establishment_id": one.establishment_id,
            "name": checked_name(one.name),
            "skills": list(one.skills),
            "times": {day: list(texts) for day, texts in (one.times or {}).items()},
            "consented_at": one.consented_at,
        }
        for one in drafts
    ]
    ids = insert_all(session, WorkResource, rows)
    _record(session, "grid.register_resources", "work_resources", community_id, number=len(ids), actor=actor)
    return ids


def note_birth_date(session: Session, resident_id: int, born: date, *, actor: Actor, now: datetime) -> Resident:
    """Enter when a resident was born; what the ID number says stands. Raises NotFound, Invalid("birthday", …)."""
    resident = session.get(Resident, resident_id, with_for_update=True, populate_existing=True)
    if resident is None:
        raise NotFound
    demand_community(actor, resident.community_id)
    if born > clock.today(now):
        raise Invalid("birthday", "出生日期不能晚于今天")
    if resident.identity_number is not None and born != resident.birth_date:
        raise Invalid("birthday", "台账里有身份证号，出生日期以身份证为准，这里不用填")
    if born == resident.birth_date:
        return resident
    resident.birth_date = born
    resident.version += 1
    session.flush()
    audit.record(
        session, "grid.note_birth_date", "residents", resident.id, actor=actor, community_id=resident.community_id
    )
    return resident


def move_house(
    session: Session,
    resident_id: int,
    *,
    stairwell_id: int | None,
    room: str | None,
    day: date,
    actor: Actor,
    now: datetime,
) -> None:
    """Move a resident to another home of the community on a day, or away (stairwell None); history stays.

    Raises NotFound, Invalid("stairwell_id" | "room" | "day", …).
    """
    resident = session.get(Resident, resident_id, with_for_update=True, populate_existing=True)
    if resident is None:
        raise NotFound
    demand_community(actor, resident.community_id)
    home = _home(session, resident.community_id, stairwell_id, room, actor) if stairwell_id is not None else None
    _end_residence(session, resident_id, day, today=clock.today(now))
    resident.household_id = home
    resident.left_at = now if home is None else None
    resident.version += 1
    if home is not None:
        session.add(
            Residence(community_id=resident.community_id, resident_id=resident_id, household_id=home, valid_from=day)
        )
    session.flush()
    audit.record(
        session,
        "grid.move_house",
        "residents",
        resident_id,
        actor=actor,
        community_id=resident.community_id,
        fields={"moved": "within" if home is not None else "away"},
    )


def checked_name(name: str) -> str:
    """A name without spaces around it; raises Invalid("name", …) for none or a very long one."""
    stripped = name.strip()
    if not stripped or len(stripped) > LONGEST_NAME:
        raise Invalid("name", "姓名或名称应为1到60个字")
    return stripped


def sealed_phone(place: str, phone: str | None) -> tuple[bytes | None, bytes | None]:
    """A phone as it is stored: sealed for its place, and its blind index; raises Invalid("phone", …)."""
    if phone is None:
        return None, None
    number = normalise_phone(phone)
    return vault.seal(place, number), vault.blind_index("phone", number)


def _end_residence(session: Session, resident_id: int, day: date, *, today: date) -> None:
    before = session.scalars(
        select(Residence).where(Residence.resident_id == resident_id, Residence.valid_until.is_(None))
    ).one_or_none()
    if day > today or (before is not None and day <= before.valid_from):
        raise Invalid("day", "搬家日期应晚于上次搬入,且不能在今天以后")
    if before is not None:
        before.valid_until = day


def _home(session: Session, community_id: int, stairwell_id: int, room: str | None, actor: Actor) -> int:
    stairwell = session.get(Stairwell, stairwell_id)
    if stairwell is None or stairwell.community_id != community_id:
        raise Invalid("stairwell_id", "没有这个楼道,请重新选择")
    return register_households(session, community_id, [(stairwell_id, room or "")], actor=actor)[0]


def _resident_row(community_id: int, one: ResidentDraft) -> dict[str, Any]:
    uid = uuid4()
    phone, phone_index = sealed_phone(f"residents.phone.{uid}", one.phone)
    name = checked_name(one.name)
    row: dict[str, Any] = {
        "uid": uid,
        "community_id": community_id,
        "household_id": one.household_id,
        "name": name,
        "name_key": pinyin_sort_key(name),
        "sex": one.sex,
        "birth_date": one.birth_date,
        "phone": phone,
        "phone_index": phone_index,
        "identity_number": None,
        "identity_index": None,
        "sensitive": vault.seal(f"residents.sensitive.{uid}", one.sensitive) if one.sensitive else None,
        "lives_alone": one.lives_alone,
    }
    return row | _identity_columns(uid, one.identity_number)


def _identity_columns(uid: UUID, identity_number: str | None) -> dict[str, Any]:
    if identity_number is None:
        return {}
    checked = check_resident_id(identity_number)
    return {
        "identity_number": vault.seal(f"residents.identity_number.{uid}", checked.value),
        "identity_index": vault.blind_index("identity", checked.value),
        "sex": checked.sex,
        "birth_date": checked.birth_date,
    }


def _establishment_row(community_id: int, one: EstablishmentDraft) -> dict[str, Any]:
    uid = uuid4()
    phone, phone_index = sealed_phone(f"establishments.phone.{uid}", one.phone)
    name = checked_name(one.name)
    return {
        "uid": uid,
        "community_id": community_id,
        "kind": one.kind,
        "name": name,
        "name_key": pinyin_sort_key(name),
        "uscc": check_uscc(one.uscc),
        "area_id": one.area_id,
        "building_id": one.building_id,
        "contact_name": one.contact_name,
        "phone": phone,
        "phone_index": phone_index,
    }


def _insert_once(
    session: Session, model: type[Resident] | type[Establishment], rows: Sequence[Mapping[str, Any]]
) -> list[int]:
    try:
        with session.begin_nested():
            return insert_all(session, model, rows)
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) == UNIQUE_VIOLATION:
            raise AlreadyRegistered from error
        raise


def _record(session: Session, action: str, subject: str, community_id: int, *, number: int, actor: Actor) -> None:
    audit.record(session, action, subject, None, actor=actor, community_id=community_id, fields={"rows": str(number)})
