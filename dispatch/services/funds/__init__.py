"""Funds: the journal of money and goods, by fund, wish and owner; posted once, never changed, reversed by name."""

from dispatch.services.funds.post import AlreadyPosted, NotEnough, NotForThis, post
from dispatch.services.funds.receipts import (
    HasReceipt,
    NoGift,
    VoidAlready,
    find_receipt,
    issue_receipt,
    name_on,
    number_of,
    receipt_of,
    void_receipt,
)
from dispatch.services.funds.reverse import AlreadyReversed, IsReversal, lines_of, reverse
from dispatch.services.funds.setup import CodeTaken, add_earmark, add_holding, open_fund
from dispatch.services.funds.verify import broken_journals, compare_heads, signed_heads
from dispatch.services.funds.wishes import (
    ConsentUsed,
    NewConsent,
    OwnConsent,
    Wish,
    change_earmark,
    consent_giver,
    find_consent,
    record_consent,
)

__all__ = [
    "AlreadyPosted",
    "AlreadyReversed",
    "CodeTaken",
    "ConsentUsed",
    "HasReceipt",
    "IsReversal",
    "NewConsent",
    "NoGift",
    "NotEnough",
    "NotForThis",
    "OwnConsent",
    "VoidAlready",
    "Wish",
    "add_earmark",
    "add_holding",
    "broken_journals",
    "change_earmark",
    "compare_heads",
    "consent_giver",
    "find_consent",
    "find_receipt",
    "issue_receipt",
    "lines_of",
    "name_on",
    "number_of",
    "open_fund",
    "post",
    "receipt_of",
    "record_consent",
    "reverse",
    "signed_heads",
    "void_receipt",
]
