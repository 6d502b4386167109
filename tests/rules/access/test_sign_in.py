"""Passwords, locks, lives of sessions, used codes, and the way back after the log-in."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.access.sign_in import (
    SessionLimits,
    check_login,
    check_password,
    is_alive,
    is_step_usable,
    local_path,
    lock_after,
)

BEGAN = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("password", ["correct horse battery", "后庆社区的热线电话是九六三四五", "a1b2c3d4e5f6"])
def test_a_long_password_is_good_whatever_it_is_made_of(password: str) -> None:
    check_password("operator1", password)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "elevenchars",
        "x" * 129,
        "my-OPERATOR1-word",
        "aaaaaaaaaaaaaaaa",
        "abababababab",
        "abcdefgh\x00ijkl",
    ],
)
def test_a_short_a_simple_and_one_with_the_name_in_it_are_refused(password: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_password("operator1", password)
    assert caught.value.field == "password"


def test_a_login_name_is_kept_in_small_letters() -> None:
    assert check_login("  Operator1 ") == "operator1"


@pytest.mark.parametrize("login", ["ab", "x" * 65, "with space", "名字名字", "a\x00b", "a/b/c", ""])
def test_a_login_name_of_other_characters_is_refused(login: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_login(login)
    assert caught.value.field == "login"


def test_the_fifth_failure_locks_for_a_quarter_of_an_hour_and_each_more_doubles_it() -> None:
    locks = [lock_after(failures) / MINUTE for failures in range(9)]
    assert locks == [0, 0, 0, 0, 0, 15, 30, 60, 120]


@given(st.integers(0, 10_000))
def test_a_lock_never_gets_shorter_and_never_longer_than_a_day(failures: int) -> None:
    assert lock_after(failures) <= lock_after(failures + 1) <= timedelta(hours=24)


@given(st.integers(0, 2_000), st.integers(0, 2_000))
def test_a_session_lives_while_used_and_never_past_half_a_day(used: int, asked: int) -> None:
    seen, now = BEGAN + used * MINUTE, BEGAN + (used + asked) * MINUTE
    alive = is_alive(SessionLimits(), BEGAN, seen, now)
    assert alive == (asked < 30 and used + asked < 12 * 60)


def test_a_code_opens_once_and_no_older_one_after_it() -> None:
    assert is_step_usable(5, None)
    assert is_step_usable(5, 4)
    assert not is_step_usable(5, 5)
    assert not is_step_usable(4, 5)


@pytest.mark.parametrize("wanted", ["/", "/orders", "/orders/HQ261123?tab=1#x", "/搜索?q=a"])
def test_a_page_of_this_site_is_returned_to(wanted: str) -> None:
    assert local_path(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        "",
        "orders",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x",
        "/\t/evil.example",
        " //evil.example",
        "/" + "a" * 600,
    ],
)
def test_any_other_place_is_not_returned_to(wanted: str | None) -> None:
    assert local_path(wanted) == "/"


@given(st.text(st.sampled_from("/\\:@.a \t\n\r%2fehttps?#"), max_size=20))
def test_no_spelling_leaves_the_site(wanted: str) -> None:
    here = "https://dispatch.example/login"
    assert urlsplit(urljoin(here, local_path(wanted))).netloc == "dispatch.example"
