"""A day of the demo community, lived through HTTP in accelerated time: calls, firms, desk, callbacks, kills."""

from dispatch.demo.day.live import DayPlan, live

__all__ = ["DayPlan", "live"]
