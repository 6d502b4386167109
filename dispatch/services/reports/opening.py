"""A figure opened to its orders: those it counts, those it does not, those it leaves out, each with the reason."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Date, Select, Subquery, case, literal, literal_column, select, true, tuple_
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.catalogue import Performer, Service, Team
from dispatch.models.grid import Area
from dispatch.models.orders import Order
from dispatch.models.reports import OrderCount
from dispatch.rules.access.roles import Actor
from dispatch.rules.reports.figures import Figure
from dispatch.services.access import reach
from dispatch.services.reports.asking import ReportQuery, check_days, in_reach, narrowed_to
from dispatch.services.reports.counting.definitions import DEFINITIONS, Definition

MOST_PER_PAGE: Final = 100
MOST_ID: Final = 2**63 - 1
TABLE: Final = OrderCount.__table__.c


class Part(StrEnum):
    """What a figure does with an order that stands on its day."""

    COUNTED = "counted"
    NOT_COUNTED = "not_counted"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class OpenedOrder:
    """An order behind a figure: its number, day and whose it is; why (a code) unless it simply counts.

    A confidential order says neither kind nor place, whoever reads.
    """

    number: str
    day: date
    part: Part
    reason: str | None
    service: str | None
    area: str | None
    team: str | None
    performer: str | None


@dataclass(frozen=True, slots=True)
class OpenedPage:
    """Some of the orders behind a figure, by day and order, and the cursor of the next page."""

    items: Sequence[OpenedOrder]
    next: str | None


def open_figure(
    session: Session,
    query: ReportQuery,
    figure: Figure,
    *,
    part: Part | None = None,
    cursor: str | None = None,
    limit: int = 50,
    most: int = MOST_PER_PAGE,
    actor: Actor,
) -> OpenedPage:
    """The orders that stand on the figure's day in the query's days, or one part of them, in one query.

    The same conditions that make the totals. Only orders that the actor may see; of one kind
    none that is confidential. Raises Invalid.
    """
    check_days(query)
    if not 1 <= limit <= most:
        raise Invalid("limit", "每页 1 到 %(most)s 条", most=most)
    sheets = sheets_of(query, DEFINITIONS[figure], actor=actor)
    asked = orders_of(sheets, query, DEFINITIONS[figure].basis.teams_of, actor=actor).limit(limit + 1)
    if part is not None:
        asked = asked.where(sheets.c.part == str(part))
    if cursor:
        asked = asked.where(tuple_(sheets.c.day, sheets.c.order_id) > after(cursor))
    rows = session.execute(asked).all()
    following = write_cursor(rows[limit - 1].day, rows[limit - 1].order_id) if len(rows) > limit else None
    return OpenedPage([opened(row) for row in rows[:limit]], following)


def orders_of(sheets: Subquery, query: ReportQuery, first: str, *, actor: Actor) -> Select[Any]:
    """The orders of some sheets with the names that they may be shown with, by day; `first` as in asking.in_reach."""
    return (
        select(
            Order.number,
            Order.confidential,
            sheets.c.order_id,
            sheets.c.day,
            sheets.c.part,
            sheets.c.reason,
            Service.name.label("service"),
            Area.name.label("area"),
            Team.name.label("team"),
            Performer.name.label("performer"),
        )
        .select_from(sheets)
        .join(Order, Order.id == sheets.c.order_id)
        .outerjoin(Service, Service.id == sheets.c.service_id)
        .outerjoin(Area, Area.id == sheets.c.area_id)
        .outerjoin(Team, Team.id == sheets.c[f"{first}{query.team_column}"])
        .outerjoin(Performer, Performer.id == sheets.c[f"{first}performer_id"])
        .where(reach.visible_orders(actor), true() if query.service_id is None else ~Order.confidential)
        .order_by(sheets.c.day, sheets.c.order_id)
    )


def sheets_of(query: ReportQuery, definition: Definition, *, actor: Actor) -> Subquery:
    """The sheets that stand on the figure's day in the query's days, each with its part and reason."""
    day, first = TABLE[definition.basis.day], definition.basis.teams_of
    return (
        select(
            OrderCount.__table__,
            day.label("day"),
            part_of(definition).label("part"),
            reason_of(definition).label("reason"),
        )
        .where(
            day.between(query.begin, query.end),
            in_reach(OrderCount, actor, first),
            narrowed_to(query, OrderCount, first),
        )
        .subquery()
    )


def condition(sql: str) -> ColumnElement[bool]:
    """A condition of a definition, in parentheses; its columns are those of order_counts."""
    return literal_column(f"({sql})")


def part_of(definition: Definition) -> ColumnElement[str]:
    """Which part of the figure an order is."""
    return case(
        (~condition(definition.base), literal(str(Part.LEFT_OUT))),
        (condition(definition.counted), literal(str(Part.COUNTED))),
        else_=literal(str(Part.NOT_COUNTED)),
    )


def reason_of(definition: Definition) -> ColumnElement[str | None]:
    """Why an order is left out or does not count; null when it counts."""
    cases = [(condition(sql), literal(reason)) for reason, sql in definition.left_out]
    cases.append((condition(definition.counted), literal(None)))
    cases.extend((condition(sql), literal(reason)) for reason, sql in definition.not_counted)
    return case(*cases, else_=literal(None))


def opened(row: Any) -> OpenedOrder:
    """The order as it is shown."""
    is_open = not row.confidential
    return OpenedOrder(
        number=row.number,
        day=row.day,
        part=Part(row.part),
        reason=row.reason,
        service=row.service if is_open else None,
        area=row.area if is_open else None,
        team=row.team if is_open else None,
        performer=row.performer if is_open else None,
    )


def write_cursor(day: date, order_id: int) -> str:
    """An opaque mark of where the next page begins."""
    return base64.urlsafe_b64encode(f"{day.isoformat()}/{order_id}".encode()).decode().rstrip("=")


def after(cursor: str) -> Any:
    """The key after which a page begins; raises Invalid for what we did not write."""
    try:
        plain = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        day, identity = plain.split("/")
        last, number = date.fromisoformat(day), int(identity)
    except (ValueError, binascii.Error) as error:
        raise Invalid("cursor", "翻页标记无效,请从第一页开始") from error
    if not 0 < number <= MOST_ID:
        raise Invalid("cursor", "翻页标记无效,请从第一页开始")
    return tuple_(literal(last, Date), literal(number))
