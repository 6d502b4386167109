"""Pages about orders: the operator's desk, the board, lists, callbacks, the order itself."""

from dispatch.web.orders import (
    actions,
    answering,
    asking,
    board,
    complaining,
    desk,
    escalations,
    ledger,
    listing,
    merging,
    page,
)
from dispatch.web.orders.door import blueprint

__all__ = [
    "actions",
    "answering",
    "asking",
    "blueprint",
    "board",
    "complaining",
    "desk",
    "escalations",
    "ledger",
    "listing",
    "merging",
    "page",
]
