"""Reports: figures over maintained totals, statements of service that make themselves, the check of the promise."""

from dispatch.services.reports.counting import MOST_AT_ONCE, ask_for_count, count_anew, count_changes, waiting_changes
from dispatch.services.reports.statements import (
    StatementPage,
    alarm_late_statements,
    list_statements,
    make_statements,
    statement_out,
)
from dispatch.services.reports.verify import verify

__all__ = [
    "MOST_AT_ONCE",
    "StatementPage",
    "alarm_late_statements",
    "ask_for_count",
    "count_anew",
    "count_changes",
    "list_statements",
    "make_statements",
    "statement_out",
    "verify",
    "waiting_changes",
]
