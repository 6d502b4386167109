"""The pages of the care calendar: who is enrolled, one elder, a month's visits, helpers, a helper's day."""

from dispatch.web.care import elder, enrolling, listing, recording, visitors
from dispatch.web.care.door import blueprint

__all__ = ["blueprint", "elder", "enrolling", "listing", "recording", "visitors"]
