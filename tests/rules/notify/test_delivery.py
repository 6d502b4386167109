"""When a message may leave the house again."""

from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.notify.delivery import AfterCrash, Channel, after_crash, is_last_try


@given(st.integers(min_value=1, max_value=100))
def test_a_receiver_that_dedupes_may_get_the_same_bytes_again(attempts: int) -> None:
    assert after_crash(Channel.WEBHOOK, attempts) is AfterCrash.SEND_AGAIN


@given(st.integers(min_value=1, max_value=100))
def test_an_e_mail_leaves_at_most_twice(attempts: int) -> None:
    again = after_crash(Channel.EMAIL, attempts) is AfterCrash.SEND_AGAIN
    assert again == (attempts == 1)


def test_the_fifth_try_is_the_last() -> None:
    assert [is_last_try(attempts) for attempts in range(1, 7)] == [False] * 4 + [True, True]
