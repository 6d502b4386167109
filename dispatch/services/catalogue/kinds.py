"""The kinds of order (services): one by id or code, several by id."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.access import Organisation
from dispatch.models.catalogue import Service


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


def find_service(
    session: Session, organisation_id: int, service_id: int | None = None, code: str | None = None
) -> Service:
    """The kind that an organisation offers or inherits, by id or by code (then the nearest above it).

    Raises Invalid("service_id" | "service_code", …) when it is not named, unknown, or by code out of use.
    """
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


def services_by_id(session: Session, service_ids: Iterable[int]) -> dict[int, Service]:
    """The kinds with these ids, in one query."""
    found = session.scalars(select(Service).where(Service.id.in_(sorted(service_ids))))
    return {service.id: service for service in found}
