"""Reports: figures over maintained totals, statements of service that make themselves, the check of the promise."""

from dispatch.services.reports.approving import (
    ExportAsked,
    ExportDecided,
    ExportOver,
    NotBySameExporter,
    ask_export,
    decide_export,
    exports_to_decide,
    own_exports,
    take_export,
)
from dispatch.services.reports.asking import AssignedBy, Grouping, ReportQuery, assigned_by, nameless
from dispatch.services.reports.counting import MOST_AT_ONCE, ask_for_count, count_anew, count_changes, waiting_changes
from dispatch.services.reports.disclosing import (
    alarm_late_disclosures,
    day_book_of,
    disclose_emergencies,
    disclose_quarter,
    find_disclosure,
    list_disclosures,
    shared_days,
)
from dispatch.services.reports.disclosing.gifts import GIFTS_AT_ONCE, GiftTold, gifts_told
from dispatch.services.reports.disclosing.leaves import Proof, leaves_from, leaves_kept, proof_for, proof_out
from dispatch.services.reports.exporting import ExportTooLarge, export_orders, export_report, export_table
from dispatch.services.reports.figures import Report, ReportRow, Step, communities_of, report, trend
from dispatch.services.reports.files import FileFormat
from dispatch.services.reports.heat import Heat, HeatArea, HeatBuilding, heat
from dispatch.services.reports.opening import OpenedOrder, OpenedPage, Part, open_figure
from dispatch.services.reports.overrides import OverriddenRule, Override, Overrides, overrides
from dispatch.services.reports.own import OwnFigures, own_figures
from dispatch.services.reports.statements import (
    StatementPage,
    alarm_late_statements,
    list_statements,
    make_statements,
    statement_out,
)
from dispatch.services.reports.verify import verify

__all__ = [
    "GIFTS_AT_ONCE",
    "MOST_AT_ONCE",
    "AssignedBy",
    "ExportAsked",
    "ExportDecided",
    "ExportOver",
    "ExportTooLarge",
    "FileFormat",
    "GiftTold",
    "Grouping",
    "Heat",
    "HeatArea",
    "HeatBuilding",
    "NotBySameExporter",
    "OpenedOrder",
    "OpenedPage",
    "OverriddenRule",
    "Override",
    "Overrides",
    "OwnFigures",
    "Part",
    "Proof",
    "Report",
    "ReportQuery",
    "ReportRow",
    "StatementPage",
    "Step",
    "alarm_late_disclosures",
    "alarm_late_statements",
    "ask_export",
    "ask_for_count",
    "assigned_by",
    "communities_of",
    "count_anew",
    "count_changes",
    "day_book_of",
    "decide_export",
    "disclose_emergencies",
    "disclose_quarter",
    "export_orders",
    "export_report",
    "export_table",
    "exports_to_decide",
    "find_disclosure",
    "gifts_told",
    "heat",
    "leaves_from",
    "leaves_kept",
    "list_disclosures",
    "list_statements",
    "make_statements",
    "nameless",
    "open_figure",
    "overrides",
    "own_exports",
    "own_figures",
    "proof_for",
    "proof_out",
    "report",
    "shared_days",
    "statement_out",
    "take_export",
    "trend",
    "verify",
    "waiting_changes",
]
