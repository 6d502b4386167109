"""服务券: granted and looked after by the staff, redeemed by firms, settled by the month."""

from dispatch.web.vouchers import cards, granting, settling
from dispatch.web.vouchers.door import blueprint
from dispatch.web.vouchers.firm import blueprint as firm_blueprint

__all__ = ["blueprint", "cards", "firm_blueprint", "granting", "settling"]
