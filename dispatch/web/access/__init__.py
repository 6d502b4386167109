"""Pages of log-in, second factor and account; who may open a page, and the token of every form."""

from dispatch.web.access.guard import allow, current_actor, open_to_all
from dispatch.web.access.pages import blueprint

__all__ = ["allow", "blueprint", "current_actor", "open_to_all"]
