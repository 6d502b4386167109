"""`dispatch up`: every process of the house as a child, started in order, kept alive, stopped cleanly."""

from dispatch.supervisor.run import Plan, up

__all__ = ["Plan", "up"]
