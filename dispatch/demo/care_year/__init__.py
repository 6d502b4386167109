"""A year of the care calendar, lived through HTTP: visits, calls, what life brings, devices, festivals, kills."""

from dispatch.demo.care_year.live import CareYearPlan, live

__all__ = ["CareYearPlan", "live"]
