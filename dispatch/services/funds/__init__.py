"""Funds: the journal of money and goods, by fund, wish and owner; posted once, never changed, reversed by name."""

from dispatch.services.funds.post import AlreadyPosted, NotEnough, NotForThis, post
from dispatch.services.funds.reverse import AlreadyReversed, IsReversal, lines_of, reverse
from dispatch.services.funds.setup import CodeTaken, add_earmark, add_holding, open_fund
from dispatch.services.funds.verify import broken_journals, compare_heads, signed_heads

__all__ = [
    "AlreadyPosted",
    "AlreadyReversed",
    "CodeTaken",
    "IsReversal",
    "NotEnough",
    "NotForThis",
    "add_earmark",
    "add_holding",
    "broken_journals",
    "compare_heads",
    "lines_of",
    "open_fund",
    "post",
    "reverse",
    "signed_heads",
]
