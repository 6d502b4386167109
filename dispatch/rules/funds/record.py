"""The line of an entry in the chain of its community: ids, numbers and codes, in one canonical form.

Source: shared rule of the chains (rules/access/chain.py): sha256(previous digest ‖ canonical JSON).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from dispatch.rules.access.chain import link
from dispatch.rules.funds.draft import Foreign


@dataclass(frozen=True, slots=True)
class RecordedLine:
    """A line as the chain keeps it: the account with all that it holds, so that the chain alone can be replayed."""

    account_id: int
    fund_id: int
    owner: str
    earmark_id: int | None
    commodity: str
    holding_id: int | None
    amount: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as the chain keeps it."""

    community_id: int
    seq: int
    kind: str
    posted_on: date
    happened_on: date
    purpose: str | None
    origin: str | None
    origin_id: int | None
    occasion: int
    reverses_id: int | None
    consent_id: int | None
    made_by: int | None
    made_by_key: int | None
    approved_by: int | None
    foreign: Foreign | None
    facts: Mapping[str, Any]
    lines: tuple[RecordedLine, ...]


def digest(previous: bytes, entry: Recorded) -> bytes:
    """The digest of an entry after the one before it."""
    return link(previous, line_of(entry))


def line_of(entry: Recorded) -> dict[str, Any]:
    """What of an entry is in the chain; a name that is missing was empty."""
    named = {
        "community": entry.community_id,
        "seq": entry.seq,
        "kind": entry.kind,
        "posted_on": entry.posted_on.isoformat(),
        "happened_on": entry.happened_on.isoformat(),
        "purpose": entry.purpose,
        "origin": entry.origin,
        "origin_id": entry.origin_id,
        "occasion": entry.occasion,
        "reverses": entry.reverses_id,
        "consent": entry.consent_id,
        "made_by": entry.made_by,
        "made_by_key": entry.made_by_key,
        "approved_by": entry.approved_by,
        "foreign": foreign_of(entry.foreign),
        "facts": dict(entry.facts) or None,
        "lines": lines_of(entry.lines),
    }
    return {name: value for name, value in named.items() if value is not None}


def foreign_of(foreign: Foreign | None) -> list[Any] | None:
    """Money of abroad: currency, amount, rate as written without trailing zeros, day of the rate."""
    if foreign is None:
        return None
    return [foreign.currency, foreign.minor, f"{foreign.rate.normalize():f}", foreign.rate_on.isoformat()]


def lines_of(lines: Iterable[RecordedLine]) -> list[list[Any]]:
    """The lines by account: account, fund, owner, earmark, commodity, holding, amount."""
    return [
        [one.account_id, one.fund_id, one.owner, one.earmark_id, one.commodity, one.holding_id, one.amount]
        for one in sorted(lines, key=lambda line: line.account_id)
    ]
