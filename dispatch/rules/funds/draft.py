"""Drafts of entries: typed lines on accounts that are named by what they hold, and whether a draft may be an entry.

Source: decision 0009: in every entry and every dimension the holdings and the custody change by the same amount.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from dispatch.errors import Invalid
from dispatch.rules.funds.terms import FOR_A_PURPOSE, SHAPES, Commodity, EntryKind, Purpose, Shape

MOST: Final = 10**11
"""The largest amount of a line, a thousand million yuan: sums of ten million of them fit into the columns."""

MOST_LINES: Final = 400
NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Dimension:
    """What balances by itself: a fund (with its owner), the giver's earmark (None: none), what is counted."""

    fund_id: int
    commodity: Commodity = Commodity.FEN
    earmark_id: int | None = None


@dataclass(frozen=True, slots=True)
class AccountKey:
    """An account by what it holds: at a holding (where it is), or without one the custody (to what it is owed)."""

    dimension: Dimension
    holding_id: int | None = None

    @property
    def is_custody(self) -> bool:
        """Whether it says to which purpose something is owed, not where it is."""
        return self.holding_id is None


@dataclass(frozen=True, slots=True)
class Line:
    """A signed amount in the smallest unit on an account."""

    account: AccountKey
    amount: int


@dataclass(frozen=True, slots=True)
class Foreign:
    """Money of abroad behind an entry: amount in the currency's smallest unit, yuan for one unit, day of the rate."""

    currency: str
    minor: int
    rate: Decimal
    rate_on: date


@dataclass(frozen=True, slots=True)
class Maker:
    """Who makes an entry: a user, or a machine's key, or the house itself (neither)."""

    user_id: int | None = None
    key_id: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it is posted.

    `happened_on` is when it happened, where that was earlier; it decides nothing. `origin` (`market.hand_out`),
    `origin_id` and `occasion` name what it comes from: it is posted once. `facts` are ids, numbers and codes that
    go into the chain (lots and their days); `words` stay outside it. `maker` is who asked for what another approves,
    where that is not who posts it.
    """

    community_id: int
    kind: EntryKind
    lines: tuple[Line, ...]
    purpose: Purpose | None = None
    happened_on: date | None = None
    origin: str | None = None
    origin_id: int | None = None
    occasion: int = 1
    facts: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    foreign: Foreign | None = None
    consent_id: int | None = None
    reverses_id: int | None = None
    approved_by: int | None = None
    maker: Maker | None = None


def at(dimension: Dimension, holding_id: int, amount: int) -> tuple[Line, Line]:
    """An amount that comes to (or, negative, leaves) a holding and what is owed to the dimension alike."""
    return Line(AccountKey(dimension, holding_id), amount), Line(AccountKey(dimension), amount)


def moved(dimension: Dimension, from_id: int, to_id: int, amount: int) -> tuple[Line, Line]:
    """An amount that goes from one holding to another; what is owed stays."""
    return Line(AccountKey(dimension, from_id), -amount), Line(AccountKey(dimension, to_id), amount)


def added_up(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines with one for each account, those that come to nothing left out."""
    sums: Counter[AccountKey] = Counter()
    for line in lines:
        sums[line.account] += line.amount
    return tuple(Line(account, amount) for account, amount in sums.items() if amount)


def check(draft: Draft) -> None:
    """Refuse what could not be an entry; raises Invalid naming the field."""
    if not 0 < len(draft.lines) <= MOST_LINES:
        raise Invalid("lines", "请至少填写一笔，最多 400 笔")
    if any(line.amount == 0 or abs(line.amount) > MOST for line in draft.lines):
        raise Invalid("amount", "数量要大于零，而且不能大得离谱")
    if len({line.account for line in draft.lines}) != len(draft.lines):
        raise Invalid("lines", "同一个科目在一笔账里只能出现一次")
    if unequal(draft.lines):
        raise Invalid("lines", "账实两边不相等，请检查每一笔的数量")
    check_purpose(draft)
    check_origin(draft)
    if SHAPES[draft.kind] is not Shape.REVERSES and not SHAPE_HOLDS[SHAPES[draft.kind]](custody_of(draft.lines)):
        raise Invalid("lines", "这几笔与这类账的样子不符，请重新填写")


def check_purpose(draft: Draft) -> None:
    """A kind by which something reaches somebody names one purpose; the others none."""
    if draft.kind in FOR_A_PURPOSE:
        if draft.purpose is None or draft.purpose is Purpose.ANY:
            raise Invalid("purpose", "请选择用途")
    elif draft.purpose is not None:
        raise Invalid("purpose", "这类账不写用途")


def check_origin(draft: Draft) -> None:
    """An origin is named whole; a change of earmark stands on a consent, a reversal on what it reverses."""
    if (draft.origin is None) != (draft.origin_id is None):
        raise Invalid("origin", "来源要写全")
    if (draft.kind is EntryKind.EARMARK_CHANGE) != (draft.consent_id is not None):
        raise Invalid("consent_id", "变更捐赠意向要有捐赠人的同意书")
    if (draft.kind is EntryKind.REVERSAL) != (draft.reverses_id is not None):
        raise Invalid("reverses_id", "请说明冲正的是哪一笔")


def unequal(lines: Sequence[Line]) -> list[Dimension]:
    """The dimensions in which holdings and custody change by different amounts."""
    sums: Counter[Dimension] = Counter()
    for line in lines:
        sums[line.account.dimension] += -line.amount if line.account.is_custody else line.amount
    return [dimension for dimension, amount in sums.items() if amount]


def custody_of(lines: Sequence[Line]) -> list[Line]:
    """The lines of custody."""
    return [line for line in lines if line.account.is_custody]


def fen_moved(lines: Sequence[Line]) -> int:
    """How many fen an entry moves: the most that comes or goes on one side of it."""
    sums: Counter[tuple[bool, bool]] = Counter()
    for line in lines:
        if line.account.dimension.commodity is Commodity.FEN:
            sums[line.account.is_custody, line.amount > 0] += abs(line.amount)
    return max(sums.values(), default=0)


def raises(custody: Sequence[Line]) -> bool:
    """Whether what is owed only grows."""
    return bool(custody) and all(line.amount > 0 for line in custody)


def lowers(custody: Sequence[Line]) -> bool:
    """Whether what is owed only shrinks."""
    return bool(custody) and all(line.amount < 0 for line in custody)


def moves(custody: Sequence[Line]) -> bool:
    """Whether nothing changes in what is owed."""
    return not custody


def converts(custody: Sequence[Line]) -> bool:
    """Whether one thing becomes another within one fund and earmark."""
    places = {(line.account.dimension.fund_id, line.account.dimension.earmark_id) for line in custody}
    signs = {line.amount > 0 for line in custody}
    return len(places) == 1 and len(signs) == len({True, False})


def packs(custody: Sequence[Line]) -> bool:
    """Whether all is of one fund and earmark; what is packed may be counted like what it is packed into."""
    return len({(line.account.dimension.fund_id, line.account.dimension.earmark_id) for line in custody}) == 1


def exchanges(custody: Sequence[Line]) -> bool:
    """Whether goods go and money comes."""
    signs = {(line.account.dimension.commodity is Commodity.FEN, line.amount > 0) for line in custody}
    return signs == {(True, True), (False, False)}


def earmarks(custody: Sequence[Line]) -> bool:
    """Whether one amount of one commodity goes from one wish to another."""
    if len(custody) != len({True, False}):
        return False
    one, other = custody
    same = one.account.dimension.commodity == other.account.dimension.commodity
    return same and one.amount == -other.amount


SHAPE_HOLDS: Final = {
    Shape.RAISES: raises,
    Shape.LOWERS: lowers,
    Shape.MOVES: moves,
    Shape.CONVERTS: converts,
    Shape.PACKS: packs,
    Shape.EXCHANGES: exchanges,
    Shape.EARMARKS: earmarks,
}
