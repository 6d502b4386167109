"""A bank's file is read within bounds, whatever is in it; lines and entries are paired as far as they can be."""

from datetime import date, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.funds.bank_csv import MOST_BYTES, MOST_ROWS, BankRow, read
from dispatch.rules.funds.matching import Item, match

DAY = date(2026, 11, 3)
HEAD = "交易日期,收入金额(元),支出金额,摘要,交易流水号\n"
TWO = HEAD + '2026-11-03,"1,234.50",,捐款,A1\n20261104,,￥12.30,买米,="0002"\n合计,1,2,,\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_file_is_read_in_the_banks_encodings(encoding: str) -> None:
    assert read(("账号：***1234,,\n" + TWO).encode(encoding)) == [
        BankRow(DAY, 123_450, "A1", "捐款"),
        BankRow(date(2026, 11, 4), -1_230, "0002", "买米"),
    ]


def test_one_column_of_amounts_has_its_sign() -> None:
    text = "日期,金额,摘要\n2026/11/3 09:00:00,-5.00,\n2026年11月3日,5,=1+1\n"
    assert [(one.amount_fen, one.words) for one in read(text.encode())] == [(-500, ""), (500, "=1+1")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x" * (MOST_BYTES + 1),
        b"\xff\xfe\x00\x00",
        "姓名,电话\n甲,1\n".encode(),
        HEAD.encode(),
        (HEAD + "2026-13-03,1,,,\n").encode(),
        (HEAD + "2026-11-03,=1+1,,,\n").encode(),
        (HEAD + "2026-11-03,1e9,,,\n").encode(),
        (HEAD + "2026-11-03,0.001,,,\n").encode(),
        (HEAD + "2026-11-03,,,没有,\n").encode(),
        ("日期,金额\n" + "2026-11-03,1\n" * MOST_ROWS).encode(),
        ("日期,金额" + ",x" * 50 + "\n").encode(),
        (HEAD + "2026-11-03,1,,\x00,\n").encode(),
    ],
)
def test_what_is_no_statement_is_refused_at_the_file(content: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        read(content)
    assert refused.value.field == "file"


def readable(content: bytes) -> bool:
    """Whether a file is read; what is refused is refused at the file."""
    try:
        return all(row.amount_fen for row in read(content))
    except Invalid as refused:
        return refused.field == "file"


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    assert readable(content)


@given(st.text(alphabet=',"\n=-0123456789.日期金额收入支出年月', max_size=300))
def test_any_table_is_read_or_refused(text: str) -> None:
    assert readable(("日期,金额\n" + text).encode())


ITEMS = st.lists(st.tuples(st.integers(0, 12), st.sampled_from([100, 200])), max_size=5)


@given(ITEMS, ITEMS, st.integers(0, 4))
def test_pairs_are_equal_near_each_once_and_as_many_as_can_be(
    left: list[tuple[int, int]], right: list[tuple[int, int]], days: int
) -> None:
    lines = [Item(number, DAY + timedelta(days=day), fen) for number, (day, fen) in enumerate(left)]
    entries = [Item(number, DAY + timedelta(days=day), fen) for number, (day, fen) in enumerate(right)]
    pairs = match(lines, entries, days)
    assert len({line for line, _ in pairs}) == len({entry for _, entry in pairs}) == len(pairs)
    assert all(fits(lines[line], entries[entry], days) for line, entry in pairs)
    assert len(pairs) == most(lines, entries, days)


def fits(line: Item, entry: Item, days: int) -> bool:
    """Whether two may be a pair."""
    return line.fen == entry.fen and abs((line.day - entry.day).days) <= days


def most(lines: list[Item], entries: list[Item], days: int) -> int:
    """The largest number of pairs, by trying every order."""
    few, many = sorted((lines, entries), key=len)
    return max(
        sum(fits(one, other, days) for one, other in zip(few, order, strict=True))
        for order in permutations(many, len(few))
    )


def test_a_reference_that_only_the_two_have_is_stronger_than_the_day() -> None:
    lines = [Item(1, DAY, 100), Item(2, DAY, 100, "A1")]
    entries = [Item(7, DAY, 100, "A1"), Item(8, DAY + timedelta(days=1), 100)]
    assert sorted(match(lines, entries, 3)) == [(1, 8), (2, 7)]
