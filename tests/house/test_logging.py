"""The logs: one JSON object a line, ids bound at the door, nothing that looks like a person's number."""

import json
import logging
import string
from collections.abc import Iterator
from uuid import uuid4

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from config.logging import configure_logging, mask, mask_personal_data

NUMBERS = (
    "13812345678",
    "+86 138-1234-5678",
    "8613812345678",
    "0578-2123456",
    "057812345678",
    "33110219990101123X",
    "331102199901011234",
    "331102990101123",
)


@pytest.fixture(autouse=True)
def _fresh_logging() -> Iterator[None]:
    """Set the logs up for one test and give the others back what they had."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_one_json_object_with_its_event_and_the_bound_ids(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging()
    structlog.contextvars.bind_contextvars(request_id="r1", job_id=7, actor_id=3)
    structlog.get_logger("dispatch.orders").info("order_placed", order_id=12)
    line = json.loads(capsys.readouterr().err)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "order_placed",
        "order_id": 12,
        "request_id": "r1",
        "job_id": 7,
        "actor_id": 3,
        "level": "info",
        "logger": "dispatch.orders",
    }


def test_the_lines_of_libraries_go_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    logging.getLogger("gunicorn.error").warning("call from %s", "13812345678")
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "call from ***"
    assert line["logger"] == "gunicorn.error"


def test_a_traceback_is_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    try:
        int("no number but 13812345678")
    except ValueError:
        structlog.get_logger().exception("job_failed")
    written = capsys.readouterr().err
    assert "ValueError" in json.loads(written)["exception"]
    assert "13812345678" not in written


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_of_a_person_is_masked_wherever_it_stands(number: str) -> None:
    event = {
        "text": f"打{number}。",
        "list": [number, (number,)],
        "mapping": {"deep": {"deeper": number}},
        "bytes": number.encode(),
        "error": ValueError(number),
    }
    written = json.dumps(mask_personal_data(None, "info", event), ensure_ascii=False)
    assert number not in written


def test_a_whole_number_that_is_a_phone_is_masked_and_an_id_is_not() -> None:
    assert mask(13812345678) == "***"
    assert mask(4711) == 4711
    assert mask(value=True) is True
    assert mask(None) is None


def test_uuids_dates_and_short_numbers_stay_readable() -> None:
    for text in ("2026-11-23T10:00:00.123456Z", "order 4711 in 0.25 s", "127.0.0.1:8096", "2026-Q3"):
        assert mask(text) == text
    assert isinstance(mask({"id": uuid4()})["id"], str)


@given(
    st.text(string.ascii_letters + " ,;:", max_size=20),
    st.sampled_from(NUMBERS),
    st.text(string.ascii_letters + " ,;:", max_size=20),
)
def test_no_surroundings_hide_a_number(before: str, number: str, after: str) -> None:
    assert number not in mask(before + number + after)
