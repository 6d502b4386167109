"""Pages of counselling: booking in public and at the desk, the counsellor's own, counsellors and holders of keys."""

from dispatch.web.counselling import arranging, desk, holding, keys, mine
from dispatch.web.counselling.door import blueprint
from dispatch.web.counselling.public import blueprint as public_blueprint

__all__ = ["arranging", "blueprint", "desk", "holding", "keys", "mine", "public_blueprint"]
