"""What can be asked of a large export that an address names."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.access.roles import Role
from dispatch.services import reports
from dispatch.services.reports import ExportAsked, FileFormat, ReportQuery
from tests.factories.world import World, staff

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]

WHAT = ExportAsked(ReportQuery(date(2026, 11, 1), date(2026, 11, 30)), FileFormat.CSV)
EXPORT = "/reports/exports/<int(min=1, max=9223372036854775807):export_id>"


def asked(session: Session, world: World, _user_id: int) -> str:
    """A request of a dispatcher."""
    asker = staff(session, world, Role.DISPATCHER)
    return str(reports.ask_export(session, WHAT, reason="报区里", actor=asker, now=clock.now(session)).id)


def approved(session: Session, world: World, user_id: int) -> str:
    """A request of the user, approved by somebody of the centre."""
    asker, now = staff(session, world, Role.DISPATCHER), clock.now(session)
    asker = replace(asker, user_id=user_id or asker.user_id)
    made = reports.ask_export(session, WHAT, reason="报区里", actor=asker, now=now)
    reports.decide_export(session, made.id, granted=True, actor=staff(session, world, Role.CENTRE), now=now)
    return str(made.id)


EXPORT_DEEDS: dict[tuple[str, str], Row] = {
    ("POST", f"{EXPORT}/decision"): (asked, 303, lambda _: {"granted": "yes"}),
    ("POST", f"{EXPORT}/file"): (approved, 200, lambda _: {}),
}
