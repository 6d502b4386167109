"""捐赠: pledges and donors for the staff, and the public form of a pledge."""

from dispatch.web.giving import donors, gifts, pledges
from dispatch.web.giving.door import blueprint
from dispatch.web.giving.public import blueprint as public_blueprint

__all__ = ["blueprint", "donors", "gifts", "pledges", "public_blueprint"]
