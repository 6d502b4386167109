"""Every job that the clock starts, on one page: its kind, its period, and when in the period (Asia/Shanghai)."""

from datetime import time

from dispatch.rules.queue import Every, Scheduled

SCHEDULE: tuple[Scheduled, ...] = (
    Scheduled("system.canary", Every.MINUTE, only_newest=True),
    Scheduled("care.watch_devices", Every.MINUTE, only_newest=True),
    Scheduled("care.review_devices", Every.DAY, time(8, 0)),
    Scheduled("care.place_visits", Every.DAY, time(7, 55)),
    Scheduled("care.keep_duties", Every.DAY, time(8, 0)),
    Scheduled("care.check_nests", Every.DAY, time(7, 50)),
    Scheduled("care.visit_again", Every.DAY, time(8, 0)),
    Scheduled("care.plan_festivals", Every.DAY, time(1, 30)),
    Scheduled("care.lapse_vouchers", Every.DAY, time(0, 20)),
    Scheduled("care.warn_vouchers", Every.DAY, time(8, 5)),
    Scheduled("market.keep_facilities", Every.DAY, time(0, 1)),
    Scheduled("catalogue.papers_expiring", Every.DAY, time(7, 0)),
    Scheduled("catalogue.calendar_missing", Every.DAY, time(7, 10)),
    Scheduled("catalogue.posts_vacant", Every.DAY, time(7, 20)),
    Scheduled("market.recheck_beneficiaries", Every.DAY, time(7, 30)),
    Scheduled("funds.check_reconciled", Every.DAY, time(7, 40)),
    Scheduled("care.forget_counselling", Every.DAY, time(3, 10)),
    Scheduled("care.forget_seekers", Every.DAY, time(3, 15)),
    Scheduled("reports.daily_figures", Every.DAY, time(0, 10)),
    Scheduled("reports.statement", Every.QUARTER, time(2, 0)),
    Scheduled("system.audit_head", Every.DAY, time(0, 5)),
    Scheduled("system.purge", Every.DAY, time(3, 0)),
)
