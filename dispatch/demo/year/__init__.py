"""A year of the demo's love supermarket, lived through HTTP and pages on days far apart, with kills in between."""

from dispatch.demo.year.live import YearPlan, live

__all__ = ["YearPlan", "live"]
