"""Price lists: what a firm takes for a kind, in versions that are kept; what holds on a day, for many firms at once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid
from dispatch.models.catalogue import PerformerService, PriceList
from dispatch.rules.access.roles import Actor
from dispatch.rules.catalogue.prices import PriceLine, check_lines
from dispatch.services.access import audit
from dispatch.services.catalogue.performers import locked


class PricesChanged(Conflict):
    """这份价目表刚被别人改过，请刷新后再改"""


def set_prices(
    session: Session,
    performer_id: int,
    service_id: int,
    lines: Sequence[PriceLine],
    *,
    valid_from: date,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> PriceList:
    """Publish the next version of a firm's list for a kind that it serves; `version` is the one that was read.

    Raises Invalid("lines" | "service_id", …), PricesChanged when another version stands by now.
    """
    check_lines(lines)
    firm = locked(session, performer_id, actor)
    demand_served(session, performer_id, service_id)
    before = newest(session, performer_id, service_id)
    if version is not None and version != before:
        raise PricesChanged
    made = PriceList(
        performer_id=performer_id,
        service_id=service_id,
        version=before + 1,
        valid_from=valid_from,
        lines=[[one.item.strip(), one.unit.strip(), one.from_fen, one.to_fen] for one in lines],
        written_by=actor.user_id,
        written_at=now,
    )
    session.add(made)
    session.flush()
    fields, whose = {"service": str(service_id), "version": str(made.version)}, firm.organisation_id
    audit.record(
        session, "catalogue.set_prices", "price_lists", made.id, actor=actor, organisation_id=whose, fields=fields
    )
    return made


def demand_served(session: Session, performer_id: int, service_id: int) -> None:
    """Refuse a list for a kind that the firm does not serve; raises Invalid."""
    serves = select(PerformerService).where(
        PerformerService.performer_id == performer_id, PerformerService.service_id == service_id
    )
    if session.execute(serves).first() is None:
        raise Invalid("service_id", "这家服务商不提供这项服务，请重新选择")


def newest(session: Session, performer_id: int, service_id: int) -> int:
    """The newest version of a list, 0 for none."""
    query = select(PriceList.version).where(PriceList.performer_id == performer_id, PriceList.service_id == service_id)
    return session.scalars(query.order_by(PriceList.version.desc()).limit(1)).first() or 0


def prices_on(
    session: Session, performer_ids: Iterable[int], service_id: int, day: date
) -> Mapping[int, tuple[PriceLine, ...]]:
    """The lines that hold on a day for one kind, by performer; who has no list is not in it. One query."""
    rows = session.execute(
        select(PriceList.performer_id, PriceList.lines)
        .ext(distinct_on(PriceList.performer_id))
        .where(
            PriceList.performer_id.in_(sorted(performer_ids)),
            PriceList.service_id == service_id,
            PriceList.valid_from <= day,
        )
        .order_by(PriceList.performer_id, PriceList.version.desc())
    )
    return {row.performer_id: lines_of(row.lines) for row in rows}


def lines_of(stored: Sequence[Sequence[object]]) -> tuple[PriceLine, ...]:
    """Stored lines as values."""
    return tuple(PriceLine(str(item), str(unit), int(str(least)), int(str(most))) for item, unit, least, most in stored)


def price_lists(session: Session, performer_id: int) -> Sequence[PriceList]:
    """Every version of a firm's lists, by kind, newest first."""
    query = select(PriceList).where(PriceList.performer_id == performer_id)
    return session.scalars(query.order_by(PriceList.service_id, PriceList.version.desc()).limit(300)).all()
