"""A week of the demo community with every side path taken, lived through HTTP in accelerated time."""

from dispatch.demo.week.live import WeekPlan, live

__all__ = ["WeekPlan", "live"]
