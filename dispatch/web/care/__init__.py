"""The pages of the care calendar: who is enrolled, one elder, a month's visits, helpers, a helper's day."""

from dispatch.web.care import elder, enrolling, feeds, listing, recording, visitors
from dispatch.web.care.door import blueprint
from dispatch.web.care.feeds import public_blueprint

__all__ = ["blueprint", "elder", "enrolling", "feeds", "listing", "public_blueprint", "recording", "visitors"]
