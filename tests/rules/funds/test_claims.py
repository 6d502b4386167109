"""Named accounts: the vouchers' own kinds go one way, a firm is paid by two people, nothing else comes near."""

from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.funds.claims import STEPS, EarmarkKind, is_allowed
from dispatch.rules.funds.terms import EntryKind

WISH, VOUCHER, PAYEE = EarmarkKind
ALLOWED = (
    (EntryKind.GRANT, [(WISH, -5), (VOUCHER, 5)], False),
    (EntryKind.REDEEM, [(PAYEE, 5), (VOUCHER, -5)], False),
    (EntryKind.LAPSE, [(VOUCHER, -5), (WISH, 5)], False),
    (EntryKind.SPEND, [(PAYEE, -5)], True),
    (EntryKind.SPEND, [(WISH, -5)], False),
    (EntryKind.GIFT, [(WISH, 5), (WISH, 5)], False),
    (EntryKind.REVERSAL, [(VOUCHER, 5), (PAYEE, -5)], False),
    (EntryKind.TRANSFER, [], False),
)
REFUSED = (
    (EntryKind.GRANT, [(VOUCHER, -5), (WISH, 5)], True),
    (EntryKind.REDEEM, [(VOUCHER, -5), (VOUCHER, 5)], True),
    (EntryKind.REDEEM, [(PAYEE, -5), (VOUCHER, 5)], True),
    (EntryKind.LAPSE, [(PAYEE, -5), (WISH, 5)], True),
    (EntryKind.SPEND, [(PAYEE, -5)], False),
    (EntryKind.SPEND, [(VOUCHER, -5)], True),
    (EntryKind.SPEND, [(PAYEE, -5), (WISH, -5)], True),
    (EntryKind.GIVEN_BACK, [(VOUCHER, -5)], True),
    (EntryKind.EARMARK_CHANGE, [(VOUCHER, -5), (WISH, 5)], True),
)


def test_what_is_allowed_and_what_is_not() -> None:
    assert all(is_allowed(kind, custody, is_approved=approved) for kind, custody, approved in ALLOWED)
    assert not any(is_allowed(kind, custody, is_approved=approved) for kind, custody, approved in REFUSED)


@given(
    st.sampled_from(sorted(set(EntryKind) - STEPS.keys() - {EntryKind.REVERSAL, EntryKind.SPEND})),
    st.lists(st.tuples(st.sampled_from(EarmarkKind), st.integers(-9, 9)), max_size=4),
)
def test_no_other_kind_touches_a_named_account(kind: EntryKind, custody: list[tuple[EarmarkKind, int]]) -> None:
    for approved in (False, True):
        assert is_allowed(kind, custody, is_approved=approved) == all(sort is WISH for sort, _ in custody)
