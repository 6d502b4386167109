"""Texts of notices: the number in each, short enough, on clean lines, the same for the same facts."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.notify.texts import (
    LONGEST_TEXT,
    TEMPLATES,
    WITHOUT_ORDER,
    facts_of_order,
    plain,
    subject_of,
    text_of,
    webhook_body,
)

AT = datetime(2026, 11, 23, 2, 5, tzinfo=UTC)
LINK = "https://dispatch.example/w/abc"
FACTS = facts_of_order(
    number="HQ261123-0001-7K",
    service="管道疏通",
    place="后庆社区一片区",
    urgency="same_day",
    confidential=False,
    hold_until=AT,
)
ANY_FACTS = st.dictionaries(st.sampled_from(["service", "place", "urgency", "wanted", "hold_until"]), st.text())


def test_an_offer_says_number_kind_area_urgency_and_until_when() -> None:
    assert text_of("offer", FACTS, LINK) == (
        "【后庆派单】订单 HQ261123-0001-7K 请您接单:管道疏通,后庆社区一片区,当日。请在 11月23日 10:05 前答复。"
        "\n打开链接查看和答复(仅限本单,请勿转发):https://dispatch.example/w/abc"
    )


def test_a_confidential_order_tells_neither_kind_nor_place() -> None:
    facts = facts_of_order(
        number="HQ1", service="心理咨询", place="后庆社区一片区", urgency="booked", confidential=True
    )
    text = text_of("offer", facts, LINK)
    assert "心理" not in text
    assert "片区" not in text
    assert "HQ1" in text


@pytest.mark.parametrize("template", [*TEMPLATES, "something new"])
def test_every_text_and_subject_carries_the_order_number(template: str) -> None:
    assert FACTS["number"] in text_of(template, FACTS)
    assert FACTS["number"] in subject_of(template, FACTS)


@pytest.mark.parametrize("template", [name for name, one in WITHOUT_ORDER.items() if "%(until)s" in one.text])
def test_a_text_with_an_end_says_until_when_it_is_valid(template: str) -> None:
    assert "2026-12-31" in text_of(template, {"until": "2026-12-31"})
    is_neutral = template.startswith("appointment")  # a heading that others may see says that there is one, no more
    assert ("2026-12-31" in subject_of(template, {"until": "2026-12-31"})) is not is_neutral


@given(st.sampled_from([*TEMPLATES, *WITHOUT_ORDER, "other"]), ANY_FACTS, st.text(max_size=5_000))
def test_no_text_is_longer_than_a_robot_takes_and_no_fact_breaks_a_line(
    template: str, facts: dict[str, str], link: str
) -> None:
    text = text_of(template, {"number": "HQ1", **facts}, link)
    assert len(text) <= LONGEST_TEXT
    assert text.count("\n") == (1 if link else 0)
    assert subject_of(template, facts).isprintable()


@given(st.text())
def test_a_plain_fact_is_printable_and_stays_so(text: str) -> None:
    once = plain(text)
    assert once.isprintable()
    assert plain(once) == once


@given(ANY_FACTS)
def test_the_body_of_a_webhook_has_the_same_bytes_each_time(facts: dict[str, str]) -> None:
    def body(of: dict[str, str]) -> bytes:
        return webhook_body(
            message_id="offer:7", template="offer", performer_code="F001", facts=of, link=LINK, created_at=AT
        )

    assert body(facts) == body(dict(reversed(facts.items())))
    read = json.loads(body({**facts, "number": "HQ1"}))
    assert (read["message_id"], read["order_number"], read["link"]) == ("offer:7", "HQ1", LINK)
