"""Reports: daily figures and statements of service that make themselves, and the check of the promise."""

from dispatch.services.reports.figures import daily_figures, recount
from dispatch.services.reports.statements import (
    StatementPage,
    alarm_late_statements,
    list_statements,
    make_statements,
    statement_out,
)
from dispatch.services.reports.verify import verify

__all__ = [
    "StatementPage",
    "alarm_late_statements",
    "daily_figures",
    "list_statements",
    "make_statements",
    "recount",
    "statement_out",
    "verify",
]
