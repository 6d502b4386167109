"""Finding people of the register: by name, pinyin, address or phone; everything that leaves is masked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from dispatch.errors import Invalid, NotFound
from dispatch.models.grid import Building, Establishment, Household, Resident, Stairwell
from dispatch.rules.access.roles import Actor
from dispatch.rules.grid.identity import mask_name, mask_resident_id
from dispatch.rules.grid.phone import mask_phone, normalise_phone
from dispatch.services.access import audit, vault
from dispatch.services.access.reach import visible
from dispatch.services.grid.place import Place, resolve_place

MOST_AT_ONCE = 100
MOST_CALLERS = 20
LONGEST_QUERY = 200
PHONE = re.compile(r"[+0-9\-\s]{7,20}")
LATIN = re.compile(r"[a-z]{1,40}")
MOST_INITIALS = 4


@dataclass(frozen=True, slots=True)
class ResidentRow:
    """A resident as lists show them: name, phone and ID number masked."""

    id: int
    uid: UUID
    name: str
    sex: str | None
    birth_year: int | None
    phone: str | None
    identity_number: str | None
    address: str | None
    stairwell_id: int | None
    lives_alone: bool


@dataclass(frozen=True, slots=True)
class ResidentPage:
    """A page of residents in the order of their names; `next` is the id to go on after, None at the end."""

    items: tuple[ResidentRow, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class CallerMatch:
    """Somebody of the register with the caller's phone: a resident, or an establishment (kind)."""

    kind: str
    id: int
    name: str
    community_id: int
    address: str | None
    stairwell_id: int | None
    building_id: int | None
    area_id: int | None
    lives_alone: bool


def search_residents(
    session: Session,
    query: str,
    *,
    actor: Actor,
    after: int | None = None,
    limit: int = 20,
) -> ResidentPage:
    """The residents that fit a query, by name; within the actor's reach, masked, at most 100 at once.

    The query is the beginning of a name in Chinese, pinyin or initials, a whole phone number, or an address.
    Those who have moved away or died are left out. Raises Invalid("q", …) for a very long query.
    """
    if len(query) > LONGEST_QUERY:
        raise Invalid("q", "查询内容过长,请缩短后再试")
    found = (
        residents()
        .where(visible(Resident, actor), Resident.left_at.is_(None))
        .order_by(Resident.name_key, Resident.id)
        .limit(min(limit, MOST_AT_ONCE) + 1)
    )
    if query.strip():
        found = found.where(fits(session, query.strip(), actor))
    if after is not None:
        last = aliased(Resident)
        key = select(last.name_key).where(last.id == after).scalar_subquery()
        found = found.where(tuple_(Resident.name_key, Resident.id) > tuple_(key, after))
    rows = session.execute(found).all()
    shown = rows[: min(limit, MOST_AT_ONCE)]
    more = shown[-1].Resident.id if len(rows) > len(shown) and shown else None
    return ResidentPage(tuple(masked(row) for row in shown), more)


def show_residents(session: Session, ids: Sequence[int], *, actor: Actor) -> list[ResidentRow]:
    """These residents as lists show them, in the order given; those out of reach are left out."""
    query = residents().where(Resident.id.in_(ids), visible(Resident, actor))
    found = {row.Resident.id: masked(row) for row in session.execute(query)}
    return [found[one] for one in ids if one in found]


def find_caller(session: Session, phone_index: bytes, *, actor: Actor) -> list[CallerMatch]:
    """Who of the register has this phone (blind index of the normalised number), in reach; read is audited.

    At most twenty; residents first. Two queries.
    """
    rows = session.execute(
        residents()
        .where(Resident.phone_index == phone_index, Resident.left_at.is_(None), visible(Resident, actor))
        .order_by(Resident.id)
        .limit(MOST_CALLERS)
    ).all()
    callers = [caller_of(row) for row in rows]
    shops = session.execute(
        select(Establishment, Building.address)
        .outerjoin(Building, Building.id == Establishment.building_id)
        .where(Establishment.phone_index == phone_index, visible(Establishment, actor))
        .order_by(Establishment.id)
        .limit(MOST_CALLERS)
    ).all()
    callers += [caller_of_establishment(shop, address) for shop, address in shops]
    for caller in callers:
        audit.record(
            session,
            "grid.find_caller",
            f"{caller.kind}s",
            caller.id,
            actor=actor,
            community_id=caller.community_id,
            purpose="call",
        )
    return callers


def reveal(session: Session, resident_id: int, field: str, *, purpose: str, actor: Actor) -> str | None:
    """The whole phone or identity_number of a resident; audited with its purpose.

    Raises NotFound out of reach, Invalid("field" | "purpose", …).
    """
    if field not in {"phone", "identity_number"}:
        raise Invalid("field", "只能查看电话或身份证号")
    if not purpose.strip():
        raise Invalid("purpose", "请写明查看的用途")
    resident = session.scalars(
        select(Resident).where(Resident.id == resident_id, visible(Resident, actor))
    ).one_or_none()
    if resident is None:
        raise NotFound
    audit.record(
        session,
        "grid.reveal",
        "residents",
        resident_id,
        actor=actor,
        community_id=resident.community_id,
        fields={"field": field},
        purpose=purpose,
    )
    sealed = resident.phone if field == "phone" else resident.identity_number
    return None if sealed is None else vault.open_sealed(f"residents.{field}.{resident.uid}", sealed)


def residents() -> Select[Resident, str, int, str, Building]:
    """Residents with where they live."""
    return (
        select(Resident, Household.room, Stairwell.id, Stairwell.number, Building)
        .outerjoin(Household, Household.id == Resident.household_id)
        .outerjoin(Stairwell, Stairwell.id == Household.stairwell_id)
        .outerjoin(Building, Building.id == Stairwell.building_id)
    )


def fits(session: Session, query: str, actor: Actor) -> ColumnElement[bool]:
    """The condition that a resident fits a query."""
    if PHONE.fullmatch(query):
        return Resident.phone_index == vault.blind_index("phone", normalise_phone(query))
    lower = query.lower()
    if LATIN.fullmatch(lower):
        syllables = func.replace(func.split_part(Resident.name_key, " ", 1), "-", "")
        conditions = [syllables.startswith(lower, autoescape=True)]
        if len(lower) <= MOST_INITIALS:
            conditions.append(Resident.name_key.like("%-".join(lower) + "%"))
        return or_(*conditions)
    at_home = lives_at(session, query, actor)
    named = Resident.name.startswith(query, autoescape=True)
    return named if at_home is None else or_(named, at_home)


def lives_at(session: Session, query: str, actor: Actor) -> ColumnElement[bool] | None:
    """The condition that a resident lives at the address of a query, None when it is no address."""
    communities = None if actor.scope.everything else actor.scope.communities
    place: Place = resolve_place(session, query, communities=communities)
    if place.building_id is None:
        return None
    here: ColumnElement[bool] = Building.id == place.building_id
    if place.stairwell_id is not None:
        here = Stairwell.id == place.stairwell_id
    return here if place.room is None else here & (Household.room == place.room)


def masked(row: Any) -> ResidentRow:
    """A row as lists show it."""
    resident: Resident = row.Resident
    phone = opened(resident, "phone", resident.phone)
    identity = opened(resident, "identity_number", resident.identity_number)
    return ResidentRow(
        id=resident.id,
        uid=resident.uid,
        name=mask_name(resident.name),
        sex=resident.sex,
        birth_year=None if resident.birth_date is None else resident.birth_date.year,
        phone=None if phone is None else mask_phone(phone),
        identity_number=None if identity is None else mask_resident_id(identity),
        address=address_of(row),
        stairwell_id=row.id,
        lives_alone=resident.lives_alone,
    )


def opened(resident: Resident, field: str, sealed: bytes | None) -> str | None:
    """A sealed field's text."""
    return None if sealed is None else vault.open_sealed(f"residents.{field}.{resident.uid}", sealed)


def address_of(row: Any) -> str | None:
    """Where a resident lives, to the room."""
    return None if row.Building is None else f"{row.Building.address}{row.number}单元{row.room}室"


def caller_of(row: Any) -> CallerMatch:
    """A resident as the desk sees a caller."""
    resident: Resident = row.Resident
    building: Building | None = row.Building
    return CallerMatch(
        kind="resident",
        id=resident.id,
        name=resident.name,
        community_id=resident.community_id,
        address=address_of(row),
        stairwell_id=row.id,
        building_id=None if building is None else building.id,
        area_id=None if building is None else building.area_id,
        lives_alone=resident.lives_alone,
    )


def caller_of_establishment(shop: Establishment, address: str | None) -> CallerMatch:
    """A unit or merchant as the desk sees a caller."""
    return CallerMatch(
        kind="establishment",
        id=shop.id,
        name=shop.name,
        community_id=shop.community_id,
        address=address,
        stairwell_id=None,
        building_id=shop.building_id,
        area_id=shop.area_id,
        lives_alone=False,
    )
