"""Funds, wishes, holdings, the journal, receipts, consents, spending and bank statements, in and out; money in fen."""

from marshmallow import fields, validate

from dispatch.rules.funds.booking import BY_HAND, NEEDS_TWO
from dispatch.rules.funds.draft import MOST
from dispatch.rules.funds.shown import AID
from dispatch.rules.funds.terms import Commodity, EntryKind, HoldingKind, Owner, Purpose
from dispatch.schemas.fields import Flag, HouseSchema, Moment, Text, id_in_address, identity
from dispatch.schemas.gifts import ForeignBody, Nothing
from dispatch.schemas.grid import Cursor, PageQuery

__all__ = ["Nothing"]
PURPOSES = [str(one) for one in Purpose]
SHOWN = [*PURPOSES, AID]
KINDS = [str(one) for one in EntryKind]
UNITS = [str(one) for one in Commodity]
PLACES = [str(one) for one in HoldingKind]
OWNERS = [str(one) for one in Owner]
STATES = ["asked", "booked", "refused", "withdrawn"]
BY_HAND_AND_OPEN = [HoldingKind.BANK, HoldingKind.TILL]
SMALL_ID = 2_147_483_647
MOST_ENTRIES = 200


def some_purposes() -> fields.List:
    """For what something is held: never changed."""
    one = fields.String(validate=validate.OneOf(PURPOSES))
    return fields.List(one, required=True, validate=validate.Length(min=1, max=len(PURPOSES)))


def an_amount(**options: object) -> fields.Integer:
    """So many fen, more than none."""
    return fields.Integer(strict=True, validate=validate.Range(min=1, max=MOST), **options)


class BalanceOut(HouseSchema):
    """So much of a commodity, in its smallest unit."""

    commodity = fields.String(required=True, validate=validate.OneOf(UNITS))
    amount = fields.Integer(required=True)


class FundOut(HouseSchema):
    """A fund with what may be spent of it."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    owner = fields.String(required=True, validate=validate.OneOf(OWNERS))
    purposes = fields.List(fields.String(validate=validate.OneOf(PURPOSES)), required=True)
    closed_at = Moment(required=True, allow_none=True)
    left = fields.List(fields.Nested(BalanceOut), required=True)


class FundsOut(HouseSchema):
    """The funds by code."""

    items = fields.List(fields.Nested(FundOut), required=True)


class OpenFund(HouseSchema):
    """A fund to be."""

    community_id = identity(required=True)
    code = Text(most=20, least=1, required=True)
    name = Text(most=60, least=1, required=True)
    owner = fields.String(load_default=str(Owner.OWN), validate=validate.OneOf(OWNERS))
    purposes = some_purposes()


class WishOut(HouseSchema):
    """A giver's wish within a fund."""

    id = fields.Integer(required=True)
    fund_id = fields.Integer(required=True)
    name = fields.String(required=True)
    purposes = fields.List(fields.String(validate=validate.OneOf(PURPOSES)), required=True)


class WishesOut(HouseSchema):
    """The wishes of a fund that may still be chosen, the newest first."""

    items = fields.List(fields.Nested(WishOut), required=True)


class AddWish(HouseSchema):
    """A wish to be."""

    name = Text(most=60, least=1, required=True)
    purposes = some_purposes()


class AccountOut(HouseSchema):
    """An account of a fund: what is owed (`custody`), or what lies where (`holding`)."""

    id = fields.Integer(required=True)
    side = fields.String(required=True, validate=validate.OneOf(["custody", "holding"]))
    earmark = fields.String(required=True, allow_none=True)
    holding = fields.String(required=True, allow_none=True)
    commodity = fields.String(required=True, validate=validate.OneOf(UNITS))
    amount = fields.Integer(required=True)


class AccountsOut(HouseSchema):
    """The accounts of a fund, what is owed first."""

    items = fields.List(fields.Nested(AccountOut), required=True)


class HoldingOut(HouseSchema):
    """Where something lies, with how much."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(PLACES))
    code = fields.String(required=True)
    name = fields.String(required=True)
    held = fields.List(fields.Nested(BalanceOut), required=True)


class HoldingsOut(HouseSchema):
    """The holdings by code."""

    items = fields.List(fields.Nested(HoldingOut), required=True)


class AddHolding(HouseSchema):
    """A bank account or a till; stocks belong to facilities."""

    community_id = identity(required=True)
    kind = fields.String(required=True, validate=validate.OneOf([str(one) for one in BY_HAND_AND_OPEN]))
    code = Text(most=20, least=1, required=True)
    name = Text(most=60, least=1, required=True)


class JournalQuery(PageQuery):
    """Which entries: of a fund, posted from `first` to `last`, or of one document (`origin` and `origin_id`)."""

    fund_id = id_in_address(load_default=None)
    first = fields.Date(load_default=None)
    last = fields.Date(load_default=None)
    origin = Text(most=40, least=1, load_default=None)
    origin_id = id_in_address(load_default=None)


class EntryOut(HouseSchema):
    """An entry; `purpose` is `aid` for a hand-out to a person, whatever its ground. `amounts` is what it changed."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    seq = fields.Integer(required=True)
    digest = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    posted_on = fields.Date(required=True)
    posted_at = Moment(required=True)
    happened_on = fields.Date(required=True)
    purpose = fields.String(required=True, allow_none=True, validate=validate.OneOf(SHOWN))
    origin = fields.String(required=True, allow_none=True)
    origin_id = fields.Integer(required=True, allow_none=True)
    reverses_id = fields.Integer(required=True, allow_none=True)
    consent_id = fields.Integer(required=True, allow_none=True)
    amounts = fields.List(fields.Nested(BalanceOut), required=True)
    words = fields.String(required=True)


class EntriesOut(HouseSchema):
    """A page of entries, the newest first."""

    items = fields.List(fields.Nested(EntryOut), required=True)
    next = Cursor(required=True, allow_none=True)


class EntryLineOut(HouseSchema):
    """A signed amount on an account."""

    account_id = fields.Integer(required=True)
    fund_id = fields.Integer(required=True)
    fund = fields.String(required=True)
    side = fields.String(required=True, validate=validate.OneOf(["custody", "holding"]))
    earmark = fields.String(required=True, allow_none=True)
    holding = fields.String(required=True, allow_none=True)
    commodity = fields.String(required=True, validate=validate.OneOf(UNITS))
    amount = fields.Integer(required=True)


class ReceiptOut(HouseSchema):
    """A receipt; nothing of who gave."""

    id = fields.Integer(required=True)
    entry_id = fields.Integer(required=True)
    number = fields.String(required=True)
    issued_at = Moment(required=True)
    voided_at = Moment(required=True, allow_none=True)
    void_reason = fields.String(required=True, allow_none=True)


class WholeEntryOut(EntryOut):
    """An entry with its lines and all about it."""

    made_by = fields.Integer(required=True, allow_none=True)
    approved_by = fields.Integer(required=True, allow_none=True)
    reversed_by = fields.Integer(required=True, allow_none=True)
    currency = fields.String(required=True, allow_none=True)
    foreign_minor = fields.Integer(required=True, allow_none=True)
    rate = fields.Decimal(required=True, allow_none=True, as_string=True)
    rate_on = fields.Date(required=True, allow_none=True)
    lines = fields.List(fields.Nested(EntryLineOut), required=True)
    receipts = fields.List(fields.Nested(ReceiptOut), required=True)


class Book(HouseSchema):
    """Money that comes, goes or changes its place; money of abroad may leave `amount_fen` to its rate."""

    kind = fields.String(required=True, validate=validate.OneOf([str(one) for one in BY_HAND]))
    fund_id = identity(required=True)
    earmark_id = identity(load_default=None, allow_none=True)
    holding_id = identity(required=True)
    to_holding_id = identity(load_default=None, allow_none=True)
    amount_fen = an_amount(load_default=None, allow_none=True)
    purpose = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(PURPOSES))
    happened_on = fields.Date(load_default=None, allow_none=True)
    words = Text(most=500, load_default="")
    foreign = fields.Nested(ForeignBody, load_default=None, allow_none=True)


class AskSpending(Book):
    """Spending, or an opening, that another person has to approve."""

    kind = fields.String(required=True, validate=validate.OneOf(sorted(str(kind) for kind in NEEDS_TWO)))


class Reverse(HouseSchema):
    """Why an entry is taken back."""

    words = Text(most=500, least=1, required=True)


class IssueReceipt(HouseSchema):
    """Who gave; nobody for 爱心人士."""

    received_from = Text(most=60, load_default="")


class Because(HouseSchema):
    """A reason."""

    reason = Text(most=200, least=1, required=True)


class WishBody(HouseSchema):
    """A fund and a wish within it, or none."""

    fund_id = identity(required=True)
    earmark_id = identity(load_default=None, allow_none=True)


class RecordConsent(HouseSchema):
    """What a donor agreed to; `given_by` never leaves again."""

    community_id = identity(required=True)
    origin = fields.Nested(WishBody, required=True)
    target = fields.Nested(WishBody, required=True)
    commodity = fields.String(load_default=str(Commodity.FEN), validate=validate.OneOf(UNITS))
    amount = an_amount(required=True)
    given_by = Text(most=60, least=1, required=True)
    given_on = fields.Date(required=True)
    evidence = Text(most=200, least=1, required=True)


class ConsentOut(HouseSchema):
    """A consent; nothing of who gave it."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    from_fund_id = fields.Integer(required=True)
    from_earmark_id = fields.Integer(required=True, allow_none=True)
    to_fund_id = fields.Integer(required=True)
    to_earmark_id = fields.Integer(required=True, allow_none=True)
    commodity = fields.String(required=True, validate=validate.OneOf(UNITS))
    amount = fields.Integer(required=True)
    given_on = fields.Date(required=True)
    recorded_at = Moment(required=True)


class ConsentsOut(HouseSchema):
    """The consents on which nobody has acted, the newest first."""

    items = fields.List(fields.Nested(ConsentOut), required=True)


class ChangeWish(HouseSchema):
    """Where it lies, and how much where it is less than agreed."""

    holding_id = identity(required=True)
    amount = an_amount(load_default=None, allow_none=True)


class SpendingOut(HouseSchema):
    """What was asked, and what became of it; a reversal has no fund and no place, an opening says what was counted."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    fund_id = fields.Integer(required=True, allow_none=True)
    earmark_id = fields.Integer(required=True, allow_none=True)
    holding_id = fields.Integer(required=True, allow_none=True)
    reverses_id = fields.Integer(required=True, allow_none=True)
    counted = fields.List(fields.List(fields.Integer(allow_none=True)), required=True, allow_none=True)
    amount_fen = fields.Integer(required=True)
    purpose = fields.String(required=True, allow_none=True, validate=validate.OneOf(PURPOSES))
    happened_on = fields.Date(required=True, allow_none=True)
    words = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    asked_at = Moment(required=True)
    decided_at = Moment(required=True, allow_none=True)
    reason = fields.String(required=True)
    entry_id = fields.Integer(required=True, allow_none=True)


class SpendingQuery(PageQuery):
    """Which page."""


class SpendingsOut(HouseSchema):
    """A page of spending, the newest first."""

    items = fields.List(fields.Nested(SpendingOut), required=True)
    next = Cursor(required=True, allow_none=True)


class ImportBankStatement(HouseSchema):
    """A month of a bank account with the text of the bank's CSV."""

    holding_id = identity(required=True)
    month = fields.Date(required=True)
    opening_fen = fields.Integer(strict=True, required=True, validate=validate.Range(min=0, max=MOST))
    closing_fen = fields.Integer(strict=True, required=True, validate=validate.Range(min=0, max=MOST))
    csv = Text(most=200_000, least=1, required=True)


class BankStatementOut(HouseSchema):
    """A month of the bank."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    holding_id = fields.Integer(required=True)
    month = fields.Date(required=True)
    opening_fen = fields.Integer(required=True)
    closing_fen = fields.Integer(required=True)
    confirmed_at = Moment(required=True, allow_none=True)
    note = fields.String(required=True)


class BankStatementsOut(HouseSchema):
    """The months, the newest first."""

    items = fields.List(fields.Nested(BankStatementOut), required=True)


class MatchedOut(HouseSchema):
    """An entry at the account."""

    id = fields.Integer(required=True)
    seq = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    happened_on = fields.Date(required=True)
    fen = fields.Integer(required=True)


class BankLineOut(HouseSchema):
    """A line of the bank with the entries that it is."""

    id = fields.Integer(required=True)
    number = fields.Integer(required=True)
    booked_on = fields.Date(required=True)
    amount_fen = fields.Integer(required=True)
    reference = fields.String(required=True)
    words = fields.String(required=True)
    by_hand = Flag(required=True)
    entries = fields.List(fields.Nested(MatchedOut), required=True)


class WholeBankStatementOut(BankStatementOut):
    """A month with both sides: what the bank has more than the journal is `unexplained_fen`."""

    lines = fields.List(fields.Nested(BankLineOut), required=True)
    missing = fields.List(fields.Nested(MatchedOut), required=True)
    unmatched = fields.Integer(required=True)
    unexplained_fen = fields.Integer(required=True)
    difference_fen = fields.Integer(required=True)


class MatchEntries(HouseSchema):
    """The entries that a line is: together the same fen."""

    entry_ids = fields.List(identity(), required=True, validate=validate.Length(min=1, max=MOST_ENTRIES))
