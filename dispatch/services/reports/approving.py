"""Large exports: asked for with a reason, approved by a second person, downloaded once within some hours."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotAllowed, NotFound
from dispatch.models.reports import ExportRequest
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.reports.figures import Figure
from dispatch.services import notify
from dispatch.services.access import audit, policies, reach
from dispatch.services.reports.asking import AssignedBy, Grouping, ReportQuery
from dispatch.services.reports.exporting import Say, export_orders, export_report
from dispatch.services.reports.figures import report
from dispatch.services.reports.files import MOST_ROWS, FileFormat
from dispatch.services.reports.opening import Part, open_figure

HOURS_POLICY: Final = "access.export_approved_hours"
APPROVES: Final = Right.AUDIT_READ
LONGEST_REASON: Final = 500
MOST_SHOWN: Final = 50
ALARM: Final = "export_waits"


class NotBySameExporter(NotAllowed):
    """自己申请的导出不能自己批准,请另一位来批"""


class ExportDecided(Conflict):
    """这份导出申请已经有人批过"""


class ExportOver(Conflict):
    """这份导出没有批准、已经下载过,或者已过下载时限,请重新申请"""


@dataclass(frozen=True, slots=True)
class ExportAsked:
    """What is to leave: a report, or the orders behind a figure (one part of them), in a form."""

    query: ReportQuery
    form: FileFormat
    figure: Figure | None = None
    part: Part | None = None

    def as_stored(self) -> dict[str, Any]:
        """As it stands in its row: texts and numbers."""
        query = asdict(self.query)
        days = {name: query[name].isoformat() for name in ("begin", "end")}
        return {"query": query | days, "form": self.form, "figure": self.figure, "part": self.part}

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "ExportAsked":
        """What a row says."""
        days = {name: date.fromisoformat(stored["query"][name]) for name in ("begin", "end")}
        words = {"by": Grouping(stored["query"]["by"]), "assigned_by": AssignedBy(stored["query"]["assigned_by"])}
        return cls(
            query=ReportQuery(**stored["query"] | days | words),
            form=FileFormat(stored["form"]),
            figure=None if stored["figure"] is None else Figure(stored["figure"]),
            part=None if stored["part"] is None else Part(stored["part"]),
        )


def ask_export(session: Session, asked: ExportAsked, *, reason: str, actor: Actor, now: datetime) -> ExportRequest:
    """Ask for an export above the rows that leave without approval; whoever may approve is alarmed. Audited.

    Only a person asks, for themselves; raises Invalid without a reason, NotAllowed for a key.
    """
    if actor.user_id is None or actor.organisation_id is None:
        raise NotAllowed
    words = reason.strip()
    if not words or len(words) > LONGEST_REASON:
        raise Invalid("reason", "请写明导出作什么用，最多 500 字")
    made = ExportRequest(
        organisation_id=actor.organisation_id,
        asked_by=actor.user_id,
        asked_at=now,
        asked=asked.as_stored(),
        row_count=rows_of(session, asked, actor=actor),
        reason=words,
    )
    session.add(made)
    session.flush()
    note(session, "reports.ask_export", made, actor=actor)
    notify.raise_alarm(
        session, kind=ALARM, subject=subject_of(made), level="notice", organisation_id=made.organisation_id
    )
    return made


def rows_of(session: Session, asked: ExportAsked, *, actor: Actor) -> int:
    """How many rows would leave."""
    if asked.figure is None:
        return len(report(session, asked.query, actor=actor).rows) + 1
    page = open_figure(
        session, asked.query, asked.figure, part=asked.part, limit=MOST_ROWS, most=MOST_ROWS, actor=actor
    )
    return len(page.items)


def decide_export(session: Session, export_id: int, *, granted: bool, actor: Actor, now: datetime) -> ExportRequest:
    """Approve or refuse what another person asked for; approved it waits some hours (policy) for one download.

    Raises NotFound out of reach, NotBySameExporter, ExportDecided.
    """
    found = locked(session, export_id, actor)
    if actor.user_id is None or not actor.may(APPROVES):
        raise NotAllowed
    if actor.user_id == found.asked_by:
        raise NotBySameExporter
    if found.granted is not None:
        raise ExportDecided
    hours = int(policies.policy(session, found.organisation_id, HOURS_POLICY))
    found.granted, found.decided_by, found.decided_at = granted, actor.user_id, now
    found.valid_until = now + timedelta(hours=hours) if granted else None
    note(session, "reports.grant_export" if granted else "reports.refuse_export", found, actor=actor)
    notify.clear_alarms(session, subject=subject_of(found), kinds=(ALARM,), now=now)
    return found


def take_export(
    session: Session, export_id: int, *, say: Say, actor: Actor, now: datetime
) -> tuple[bytes, ExportAsked]:
    """The file that was approved, once, for who asked for it, as its reach is now. Raises NotFound, ExportOver."""
    found = locked(session, export_id, actor)
    if found.asked_by != actor.user_id:
        raise NotFound
    if found.valid_until is None or found.valid_until < now or found.downloaded_at is not None:
        raise ExportOver
    found.downloaded_at = now
    asked = ExportAsked.of(found.asked)
    terms: Any = {"say": say, "approved_as": found.id, "actor": actor, "now": now}
    if asked.figure is None:
        return export_report(session, asked.query, asked.form, **terms), asked
    return export_orders(session, asked.query, asked.figure, asked.form, part=asked.part, **terms), asked


def own_exports(session: Session, *, actor: Actor) -> Sequence[ExportRequest]:
    """What the actor has asked for, newest first."""
    query = select(ExportRequest).where(ExportRequest.asked_by == actor.user_id)
    return session.scalars(query.order_by(ExportRequest.id.desc()).limit(MOST_SHOWN)).all()


def exports_to_decide(session: Session, *, actor: Actor) -> Sequence[ExportRequest]:
    """What others within reach have asked for and nobody has decided, oldest first; nothing for who may not decide."""
    if not actor.may(APPROVES):
        return []
    query = select(ExportRequest).where(
        ExportRequest.granted.is_(None), ExportRequest.asked_by != actor.user_id, in_reach(actor)
    )
    return session.scalars(query.order_by(ExportRequest.id).limit(MOST_SHOWN)).all()


def in_reach(actor: Actor) -> Any:
    """The requests of the organisations within reach."""
    return reach.among(ExportRequest.__table__.c.organisation_id, actor.scope.organisations)


def locked(session: Session, export_id: int, actor: Actor) -> ExportRequest:
    """A request within reach, locked and read fresh; raises NotFound."""
    query = select(ExportRequest).where(ExportRequest.id == export_id, in_reach(actor)).with_for_update()
    found = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound
    return found


def note(session: Session, action: str, request: ExportRequest, *, actor: Actor) -> None:
    """Write the audit entry."""
    audit.record(session, action, "export_requests", request.id, actor=actor, fields={"rows": str(request.row_count)})


def subject_of(request: ExportRequest) -> str:
    """What the alarm of a request is about."""
    return f"export:{request.id}"
