"""The kinds of order (services): one by id or code, several by id."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, bindparam, event, func, select
from sqlalchemy.orm import Session, object_session

from dispatch.errors import Invalid
from dispatch.models.access import Organisation
from dispatch.models.catalogue import Service
from dispatch.services.access.memory import ShortMemory


def seen_from(organisation_id: int | ColumnElement[int]) -> ColumnElement[bool]:
    """The condition that a kind belongs to an organisation or to one above it."""
    path = select(func.unnest(Organisation.path)).where(Organisation.id == organisation_id)
    return Service.organisation_id.in_(path)


# Made once: building them anew for every call would cost more than asking the database.
_SEEN = seen_from(bindparam("organisation_id"))
_BY_ID = select(Service).where(Service.id == bindparam("service_id"), _SEEN)
_NEAREST = select(func.cardinality(Organisation.path)).where(Organisation.id == Service.organisation_id)
_BY_CODE = (
    select(Service)
    .where(Service.code == bindparam("code"), Service.is_active, _SEEN)
    .order_by(_NEAREST.scalar_subquery().desc())
    .limit(1)
)


remembered: ShortMemory[Service] = ShortMemory("kinds")


def find_service(
    session: Session, organisation_id: int, service_id: int | None = None, code: str | None = None
) -> Service:
    """The kind that an organisation offers or inherits, by id or by code (then the nearest above it), to be read only.

    Remembered per process for at most 5 s: a change made elsewhere is seen that much later.
    Raises Invalid("service_id" | "service_code", …) when it is not named, unknown, or by code out of use.
    """
    memory_key = (organisation_id, service_id, None if service_id is not None else code)
    known = remembered.get(session, memory_key)
    if known is None:
        known = read(session, organisation_id, service_id, code)
        remembered.put(session, memory_key, copy_of(known))
    return known


def read(session: Session, organisation_id: int, service_id: int | None, code: str | None) -> Service:
    """The same from the database."""
    if service_id is not None:
        found = session.scalars(_BY_ID, {"service_id": service_id, "organisation_id": organisation_id}).one_or_none()
        if found is None:
            raise Invalid("service_id", "没有这项服务,请重新选择")
        return found
    if code is None:
        raise Invalid("service_id", "请选择服务类别")
    found = session.scalars(_BY_CODE, {"code": code, "organisation_id": organisation_id}).one_or_none()
    if found is None:
        raise Invalid("service_code", "没有这项服务,请重新选择")
    return found


def copy_of(service: Service) -> Service:
    """A kind that belongs to no session."""
    return Service(**{column.key: getattr(service, column.key) for column in Service.__mapper__.column_attrs})


@event.listens_for(Service, "after_insert")
@event.listens_for(Service, "after_update")
def forget(_mapper: object, _connection: object, changed: Service) -> None:
    """A kind was written: what was remembered is not trusted, and in this session only the database is."""
    session = object_session(changed)
    if session is not None:
        remembered.forget(session)


def services_by_id(session: Session, service_ids: Iterable[int]) -> dict[int, Service]:
    """The kinds with these ids, in one query."""
    found = session.scalars(select(Service).where(Service.id.in_(sorted(service_ids))))
    return {service.id: service for service in found}
