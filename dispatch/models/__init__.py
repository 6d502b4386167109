"""Tables, a file a domain; importing this package knows them all."""

from dispatch.clock import ClockSetting
from dispatch.db import Base
from dispatch.models import access, care, catalogue, funds, grid, market, notify, orders, reports
from dispatch.queue import Job, PeriodRun

metadata = Base.metadata

__all__ = [
    "Base",
    "ClockSetting",
    "Job",
    "PeriodRun",
    "access",
    "care",
    "catalogue",
    "funds",
    "grid",
    "market",
    "metadata",
    "notify",
    "orders",
    "reports",
]
