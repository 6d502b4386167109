"""Gifts: lines that say something, names only by consent, secrets that are forgiving to read and hard to guess."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.funds.draft import Foreign
from dispatch.rules.funds.terms import Commodity, Owner
from dispatch.rules.market.gifts import (
    MOST_AMOUNT,
    MOST_LINES,
    UNNAMED,
    WAY_LABELS,
    GiftItem,
    Way,
    check_items,
    is_secret,
    priced,
    public_name,
    secret_of,
    totals,
)

DAY = date(2026, 11, 25)
DOLLARS = Foreign("USD", 100_000, Decimal("7.1"), DAY)
MONEY = GiftItem("捐款", Commodity.FEN, 50_000)
RICE = GiftItem("大米", Commodity.GRAM, 25_000, goods_id=3)
OWNERS = st.sampled_from(Owner)
lines = st.builds(
    GiftItem,
    item=st.sampled_from(["大米", "棉被", " "]),
    commodity=st.sampled_from(Commodity),
    amount=st.integers(-2, 10),
    goods_id=st.none() | st.just(1),
    foreign=st.none() | st.just(DOLLARS),
)


def test_every_way_has_a_label() -> None:
    assert set(WAY_LABELS) == set(Way)


def test_foreign_money_is_worth_what_its_rate_says() -> None:
    given_abroad = GiftItem("侨胞捐款", Commodity.FEN, 0, foreign=DOLLARS)
    assert priced(given_abroad).amount == 710_000
    assert priced(MONEY) is MONEY


def test_sound_gifts_pass() -> None:
    check_items([MONEY, RICE], Owner.OWN)
    check_items([GiftItem("侨胞捐款", Commodity.FEN, 710_000, foreign=DOLLARS)], Owner.OVERSEAS)
    check_items([MONEY] * MOST_LINES, Owner.PARTNER)


@pytest.mark.parametrize(
    ("given_lines", "owner"),
    [
        ([], Owner.OWN),
        ([MONEY] * (MOST_LINES + 1), Owner.OWN),
        ([GiftItem(" ", Commodity.FEN, 1)], Owner.OWN),
        ([GiftItem("捐款", Commodity.FEN, 0)], Owner.OWN),
        ([GiftItem("捐款", Commodity.FEN, MOST_AMOUNT + 1)], Owner.OWN),
        ([GiftItem("捐款", Commodity.FEN, 1, goods_id=3)], Owner.OWN),
        ([GiftItem("大米", Commodity.GRAM, 1)], Owner.OWN),
        ([GiftItem("捐款", Commodity.FEN, 1, foreign=DOLLARS)], Owner.OWN),
        ([GiftItem("大米", Commodity.GRAM, 1, goods_id=3, foreign=DOLLARS)], Owner.OVERSEAS),
    ],
)
def test_a_gift_that_says_too_little_is_refused(given_lines: list[GiftItem], owner: Owner) -> None:
    with pytest.raises(Invalid) as refused:
        check_items(given_lines, owner)
    assert refused.value.field == "lines"


@given(st.lists(lines, max_size=4), OWNERS)
def test_every_line_of_a_gift_that_passes_is_sound(some: list[GiftItem], owner: Owner) -> None:
    try:
        check_items(some, owner)
    except Invalid:
        return
    assert some
    for line in some:
        assert line.item.strip()
        assert line.amount > 0
        assert (line.goods_id is None) == (line.commodity is Commodity.FEN)
        assert line.foreign is None or owner is Owner.OVERSEAS


@given(st.lists(lines))
def test_totals_keep_every_unit_apart_and_lose_nothing(some: list[GiftItem]) -> None:
    found = totals(some)
    assert found == {
        unit: sum(line.amount for line in some if line.commodity is unit)
        for unit in Commodity
        if any(line.commodity is unit for line in some)
    }


@given(name=st.none() | st.text(max_size=5), consents=st.booleans())
def test_nobody_is_named_without_consent(*, name: str | None, consents: bool) -> None:
    shown = public_name(name, consents=consents)
    assert shown == UNNAMED or (consents and shown == name)
    assert shown.strip()


@given(st.binary(min_size=8, max_size=32))
def test_a_secret_is_read_however_it_is_written(digest: bytes) -> None:
    secret = secret_of(digest)
    assert len(secret) == 14
    assert is_secret(secret, secret)
    assert is_secret(f" {secret.lower().replace('-', ' ')} ", secret)
    assert is_secret(secret.replace("0", "O").replace("1", "l"), secret)


@given(st.binary(min_size=8, max_size=8), st.text(max_size=20))
def test_another_text_is_no_secret(digest: bytes, typed: str) -> None:
    secret = secret_of(digest)
    letters = "".join(typed.split()).replace("-", "").upper()
    assert is_secret(typed, secret) == (letters.translate(str.maketrans("OIL", "011")) == secret.replace("-", ""))


def test_different_receipts_have_different_secrets() -> None:
    assert len({secret_of(number.to_bytes(8, "big")) for number in range(1_000)}) == 1_000


def test_totals_of_a_gift() -> None:
    parts: dict[str, Any] = {"MONEY": MONEY, "RICE": RICE}
    assert totals([parts["MONEY"], parts["RICE"], RICE]) == {Commodity.FEN: 50_000, Commodity.GRAM: 50_000}
