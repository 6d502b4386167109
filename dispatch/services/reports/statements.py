"""The quarterly statement of service of each community: made and published by itself, corrected by new versions."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, func, select, text, tuple_
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.access import Organisation
from dispatch.models.reports import ServiceStatement
from dispatch.rules.access.chain import canonical
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.reports.periods import bounds_of_quarter, previous_period, quarter_of
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import notify
from dispatch.services.access import audit, policies

LATE_POLICY = "statement.publish_within_days"
CORRECTION = "按最新记录更正"
MOST_PER_PAGE = 100
TOTALS = ("placed", "closed", "reopened", "answered")

COUNTED = (
    "FROM order_events AS event JOIN orders ON orders.id = event.order_id "
    "JOIN services ON services.id = orders.service_id "
    "JOIN organisations ON organisations.id = orders.community_id "
    "WHERE event.at >= :begin AND event.at < :end "
    "AND event.action IN ('receive', 'answer_directly', 'close', 'reopen') "
    "AND services.in_figures AND NOT orders.is_canary AND NOT organisations.is_hidden "
)
"""What enters a statement (rules.md §8): kinds that say so, never the canary or a hidden community."""
COUNTS = (
    "count(*) FILTER (WHERE event.action = 'receive') AS placed, "
    "count(*) FILTER (WHERE event.action = 'close') AS closed, "
    "count(*) FILTER (WHERE event.action = 'reopen') AS reopened, "
    "count(*) FILTER (WHERE event.action = 'answer_directly') AS answered "
)
# how many calls of a confidential kind there were in a quarter is told to nobody: they are one row
BY_KIND = text(
    "SELECT CASE WHEN orders.confidential THEN 'confidential' ELSE services.code END AS code, "
    f"CASE WHEN orders.confidential THEN '保密' ELSE services.name END AS name, {COUNTS} {COUNTED} "
    "AND orders.community_id = :community GROUP BY 1, 2 ORDER BY 1"
)
BY_TEAM = text(
    "SELECT teams.code, teams.name, counted.placed, counted.closed, counted.reopened, counted.answered FROM ("  # noqa: S608 - our own texts
    f"SELECT orders.lead_team_id, {COUNTS} {COUNTED} AND orders.community_id = :community "
    "GROUP BY orders.lead_team_id) AS counted LEFT JOIN teams ON teams.id = counted.lead_team_id "
    "ORDER BY teams.code NULLS LAST"
)


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Published statements with the community's name, newest first, and the cursor of the next page."""

    items: Sequence[tuple[ServiceStatement, str]]
    next: str | None


def make_statements(session: Session, quarter: str, *, now: datetime) -> int:
    """Make and publish the statement of a quarter for every community that was there; returns how many versions.

    Repeating makes nothing new; when the counts have changed since, a new version is published with a note.
    One that is published later than the policy allows stands with an alarm.
    """
    made = 0
    communities = session.scalars(select(Organisation).where(owes(quarter)).order_by(Organisation.id)).all()
    for community in communities:
        if publish(session, community, quarter, now=now):
            made += 1
            if now > late_after(session, community.id, quarter):
                alarm_late(session, community.id, quarter, level="notice")
    return made


def owes(quarter: str) -> ColumnElement[bool]:
    """The condition that an organisation is a community which was there before the quarter's end, not hidden."""
    was_there = Organisation.created_at < bounds_of_quarter(quarter)[1]
    return (Organisation.kind == "community") & ~Organisation.is_hidden & was_there


def publish(session: Session, community: Organisation, quarter: str, *, now: datetime) -> bool:
    """Publish a new version of one community's statement unless the last one says the same already."""
    body = body_of(session, community, quarter)
    digest = sha256(canonical(body)).digest()
    last = session.scalars(
        select(ServiceStatement)
        .where(ServiceStatement.community_id == community.id, ServiceStatement.quarter == quarter)
        .order_by(ServiceStatement.version.desc())
        .limit(1)
    ).one_or_none()
    if last is not None and last.digest == digest:
        return False
    made = ServiceStatement(
        community_id=community.id,
        quarter=quarter,
        version=1 if last is None else last.version + 1,
        body=body,
        digest=digest,
        note="" if last is None else CORRECTION,
        made_at=now,
        published_at=now,
    )
    session.add(made)
    session.flush()
    notify.clear_alarms(session, subject=subject_of(community.id, quarter), kinds=("statement_late",), now=now)
    audit.record(
        session,
        "reports.publish_statement",
        "service_statements",
        made.id,
        actor=SYSTEM,
        community_id=community.id,
        fields={"quarter": quarter, "version": str(made.version)},
    )
    return True


def body_of(session: Session, community: Organisation, quarter: str) -> dict[str, Any]:
    """What the statement says: counts by kind, by lead team, and in all; no person, no address."""
    begin, end = bounds_of_quarter(quarter)
    parameters = {"begin": begin, "end": end, "community": community.id}
    kinds = [dict(row) for row in session.execute(BY_KIND, parameters).mappings()]
    teams = [dict(row) for row in session.execute(BY_TEAM, parameters).mappings()]
    return {
        "community": community.name,
        "quarter": quarter,
        "from": begin.date().isoformat(),
        "until": (end.date() - timedelta(days=1)).isoformat(),
        "by_kind": kinds,
        "by_team": teams,
        "total": {name: sum(kind[name] for kind in kinds) for name in TOTALS},
    }


def late_after(session: Session, community_id: int, quarter: str) -> datetime:
    """The instant from which a quarter's statement is late (policy: days after the quarter's end)."""
    days = int(policies.policy(session, community_id, LATE_POLICY))
    return bounds_of_quarter(quarter)[1] + timedelta(days=days)


def subject_of(community_id: int, quarter: str) -> str:
    """What alarms about a statement are about."""
    return f"statement:{community_id}:{quarter}"


def alarm_late(session: Session, community_id: int, quarter: str, *, level: str) -> None:
    """Say that a statement is, or was published, late."""
    notify.raise_alarm(
        session,
        kind="statement_late",
        subject=subject_of(community_id, quarter),
        level=level,
        community_id=community_id,
        facts={"quarter": quarter},
    )


def alarm_late_statements(session: Session, *, now: datetime) -> list[int]:
    """Alarm every community whose statement of the last quarter should be out and is not; returns their ids.

    A community that came into being after the quarter's end owes none.
    """
    quarter = previous_period(quarter_of(now))
    published = select(ServiceStatement.community_id).where(ServiceStatement.quarter == quarter)
    owing = session.scalars(select(Organisation.id).where(owes(quarter), Organisation.id.not_in(published))).all()
    late = [community_id for community_id in owing if now > late_after(session, community_id, quarter)]
    for community_id in late:
        alarm_late(session, community_id, quarter, level="warning")
    return late


def list_statements(session: Session, *, cursor: str | None, limit: int) -> StatementPage:
    """The newest version of every published statement, newest quarter first; `limit` 1..100."""
    if not 1 <= limit <= MOST_PER_PAGE:
        raise Invalid("limit", "每页 1 到 100 条")
    newest = (
        select(func.max(ServiceStatement.id))
        .where(ServiceStatement.published_at.is_not(None))
        .group_by(ServiceStatement.community_id, ServiceStatement.quarter)
    )
    query = (
        select(ServiceStatement, Organisation.name)
        .join(Organisation, Organisation.id == ServiceStatement.community_id)
        .where(ServiceStatement.id.in_(newest), ~Organisation.is_hidden)
    )
    if cursor:
        query = query.where(tuple_(ServiceStatement.quarter, ServiceStatement.id) < read_cursor(cursor))
    order = (ServiceStatement.quarter.desc(), ServiceStatement.id.desc())
    rows = [(one, name) for one, name in session.execute(query.order_by(*order).limit(limit + 1))]
    following = write_cursor(rows[limit - 1][0]) if len(rows) > limit else None
    return StatementPage(rows[:limit], following)


def write_cursor(last: ServiceStatement) -> str:
    """An opaque mark of where the next page begins."""
    return base64.urlsafe_b64encode(f"{last.quarter}/{last.id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[str, int]:
    """Where a page begins; raises Invalid for what we did not write."""
    try:
        plain = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        quarter, identity = plain.split("/")
        bounds_of_quarter(quarter)
        return quarter, int(identity)
    except (ValueError, binascii.Error, Invalid) as error:
        raise Invalid("cursor", "翻页标记无效,请从第一页开始") from error


def statement_out(statement: ServiceStatement, community: str) -> Mapping[str, Any]:
    """What leaves of a statement."""
    published = statement.published_at
    return {
        "community": community,
        "quarter": statement.quarter,
        "version": statement.version,
        "note": statement.note,
        "published_at": published.astimezone(SHANGHAI) if published else None,
        "digest": statement.digest.hex(),
        "body": statement.body,
    }
