"""Tables of the funds: the journal, receipts, spending that is approved, and the statements of the bank."""

from dispatch.models.funds.journal import (
    Account,
    Balance,
    Consent,
    Earmark,
    Entry,
    EntryKindRow,
    EntryLine,
    EntryNote,
    Fund,
    Holding,
    JournalHead,
)
from dispatch.models.funds.receipts import Receipt, ReceiptSeries
from dispatch.models.funds.spendings import Spending
from dispatch.models.funds.statements import BankLine, BankMatch, BankOpenEntry, BankStatement

__all__ = [
    "Account",
    "Balance",
    "BankLine",
    "BankMatch",
    "BankOpenEntry",
    "BankStatement",
    "Consent",
    "Earmark",
    "Entry",
    "EntryKindRow",
    "EntryLine",
    "EntryNote",
    "Fund",
    "Holding",
    "JournalHead",
    "Receipt",
    "ReceiptSeries",
    "Spending",
]
