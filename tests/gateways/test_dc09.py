"""Frames of alarm devices: those that were seen, round trips, every changed byte, every key, and garbage."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.gateways import dc09
from dispatch.gateways.dc09 import BadFrame, Content, Envelope, Fault, Splitter

NOON = datetime(2026, 11, 26, 4, 0, 0, tzinfo=UTC)
SEEN = (b'EA740027"NULL"0000L0#1409[]_20:38:07,08-27-2026', b'77880027"ADM-CID"0068R0L0#AAA[#AAA|3401 01 070]')
"""Sent by real devices: one names no receiver, the other does."""

PRESS = b'33B50027"ADM-CID"0001L0#3001[#3001|1101 00 001]'
POLL = b'799A0013"NULL"0000L0#3001[]'
FAILED_TO_REPORT = b'CAA10027"ADM-CID"0004L0#3001[#3001|1102 00 001]'
NEVER_SENT = b'24CC0016"ACK"0000NoneL0#1409[]'
"""An answer by which a real device was never satisfied."""


DIGITS = st.text("0123456789ABCDEF", min_size=1, max_size=6)
KEYS = st.sampled_from(sorted(dc09.KEY_BYTES)).flatmap(lambda size: st.binary(min_size=size, max_size=size))
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[]\r\n|\x00"), max_size=40)
CONTENTS = st.builds(
    Content,
    data=st.lists(WORDS, min_size=1, max_size=3).map("|".join),
    extended=st.lists(WORDS, max_size=3).map(tuple),
    stamped_at=st.datetimes(datetime(2000, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - zoned by the strategy
        lambda moment: moment.replace(microsecond=0)
    ),
)
ENVELOPES = st.builds(
    Envelope,
    token=st.sampled_from(["NULL", "ADM-CID", "SIA-DCS", "XYZ-9"]),
    sequence=st.integers(0, 9999),
    account=st.text("0123456789ABCDEF", min_size=3, max_size=16),
    receiver=st.none() | DIGITS,
    line=st.none() | DIGITS,
)


def line_of(frame: bytes) -> bytes:
    """The only line in the bytes of a frame."""
    (line,) = Splitter().feed(frame)
    return line


@given(envelope=ENVELOPES, content=CONTENTS, key=st.none() | KEYS)
def test_what_is_written_is_read_back_plain_and_under_every_length_of_key(
    envelope: Envelope, content: Content, key: bytes | None
) -> None:
    sealed = replace(envelope, encrypted=key is not None, body=dc09.seal(content, key))
    found = dc09.read(line_of(dc09.write(sealed)))
    assert found == sealed
    assert dc09.unseal(found.body, encrypted=found.encrypted, key=key) == content


@given(envelope=ENVELOPES, content=CONTENTS, place=st.integers(0), byte=st.integers(0, 255))
def test_any_one_changed_byte_is_refused(envelope: Envelope, content: Content, place: int, byte: int) -> None:
    frame = bytearray(dc09.write(replace(envelope, body=dc09.seal(content))))
    place %= len(frame)
    was, frame[place] = frame[place], byte
    lines = Splitter().feed(bytes(frame))
    if byte == was:
        assert len(lines) == 1
    for line in lines if byte != was else ():
        with pytest.raises(BadFrame):
            dc09.read(line)


@given(junk=st.binary(max_size=300), key=st.none() | KEYS)
def test_garbage_raises_nothing_but_the_error_of_its_own(junk: bytes, key: bytes | None) -> None:
    lines = [junk, *Splitter().feed(junk), b"%04X%04X%b" % (dc09.checksum(junk), len(junk), junk)]
    read = [attempt(line, key) for line in lines]
    assert all(one is None or isinstance(one, Content | Fault) for one in read)


@given(body=st.binary(max_size=200), key=KEYS)
def test_a_whole_envelope_around_garbage_raises_nothing_else_either(body: bytes, key: bytes) -> None:
    body = body.translate(None, b"\r\n")
    for sealed in (body, body.hex().encode()):
        for encrypted in (False, True):
            frame = dc09.write(Envelope("ADM-CID", 1, "3001", encrypted=encrypted, body=sealed))
            assert isinstance(attempt(line_of(frame), key), Content | Fault)


def attempt(line: bytes, key: bytes | None) -> Content | Fault:
    """What a line says, or what is wrong with it."""
    try:
        envelope = dc09.read(line)
        return dc09.unseal(envelope.body, encrypted=envelope.encrypted, key=key)
    except BadFrame as error:
        return error.fault


@pytest.mark.parametrize("line", [*SEEN, PRESS, POLL, FAILED_TO_REPORT])
def test_frames_of_real_devices_are_read_and_written_byte_for_byte(line: bytes) -> None:
    envelope = dc09.read(line)
    content = dc09.unseal(envelope.body, encrypted=False)
    assert dc09.write(replace(envelope, body=dc09.seal(content))) == b"\n" + line + b"\r"


def test_what_real_devices_say_is_told_apart() -> None:
    poll, event = (dc09.read(line) for line in SEEN)
    assert (poll.token, poll.sequence, poll.receiver, poll.line, poll.account) == ("NULL", 0, None, "0", "1409")
    stamped = dc09.unseal(poll.body, encrypted=False)
    assert stamped == Content("", (), datetime(2026, 8, 27, 20, 38, 7, tzinfo=UTC))
    assert (event.sequence, event.receiver, event.account) == (68, "0", "AAA")
    assert dc09.unseal(event.body, encrypted=False).data == "#AAA|3401 01 070"


def test_an_answer_names_no_receiver_where_the_device_named_none() -> None:
    # the answer that is never sent has the right checksum and length: a number that was absent stands there as a word
    with pytest.raises(BadFrame) as refused:
        dc09.read(NEVER_SENT)
    assert refused.value.fault is Fault.SHAPE
    poll, event = (dc09.read(line) for line in SEEN)
    assert dc09.acknowledge(poll, now=NOON) == b'\n59890012"ACK"0000L0#1409[]\r'
    assert dc09.acknowledge(event, now=NOON) == b'\n14080013"ACK"0068R0L0#AAA[]\r'


@given(envelope=ENVELOPES, key=st.none() | KEYS)
def test_every_answer_is_a_frame_with_what_the_sender_said_of_itself(envelope: Envelope, key: bytes | None) -> None:
    asked = replace(envelope, encrypted=key is not None)
    kept = dc09.read(line_of(dc09.acknowledge(asked, now=NOON, key=key)))
    assert replace(kept, body=b"") == replace(asked, token="ACK", body=b"")
    told = dc09.unseal(kept.body, encrypted=kept.encrypted, key=key)
    assert told == Content(stamped_at=NOON if key else None)
    unable = dc09.read(line_of(dc09.cannot(asked)))
    assert unable == replace(asked, token="DUH", encrypted=False, body=b"]")


def test_a_refusal_names_nobody_and_gives_the_time() -> None:
    frame = dc09.refuse(now=NOON)
    assert frame[9:] == b'"NAK"0000R0L0A0[]_04:00:00,11-26-2026\r'
    refused = dc09.read(line_of(frame))
    assert dc09.unseal(refused.body, encrypted=False).stamped_at == NOON


def test_without_the_key_or_with_another_nothing_is_said() -> None:
    body = dc09.seal(Content("#3001|1101 00 001", stamped_at=NOON), bytes(16))
    for key in (None, bytes(15) + b"\x01", bytes(24), bytes(32)):
        with pytest.raises(BadFrame) as refused:
            dc09.unseal(body, encrypted=True, key=key)
        assert refused.value.fault is Fault.KEY


def test_two_like_frames_look_unlike_under_a_key() -> None:
    content = Content("#3001|1101 00 001", stamped_at=NOON)
    assert dc09.seal(content, bytes(32)) != dc09.seal(content, bytes(32))


def test_a_moment_that_is_none_is_said_to_be_one() -> None:
    with pytest.raises(BadFrame) as refused:
        dc09.unseal(b"]_25:00:00,13-01-2026", encrypted=False)
    assert refused.value.fault is Fault.STAMP


@given(cuts=st.lists(st.integers(0, 200), max_size=6), between=st.binary(max_size=20))
def test_lines_are_found_however_the_stream_is_cut_and_whatever_stands_between(cuts: list[int], between: bytes) -> None:
    dust = between.replace(b"\n", b"").replace(b"\r", b"")
    stream = dust + b"\n" + PRESS[:20] + b"\n" + PRESS + b"\r" + dust + b"\n" + POLL + b"\r\r\n"
    splitter, places = Splitter(), sorted({0, *(cut % len(stream) for cut in cuts), len(stream)})
    lines = [line for at, to in pairwise(places) for line in splitter.feed(stream[at:to])]
    assert lines == [PRESS, POLL]
    assert splitter.skipped == 2 * len(dust) + 21 + 1


def test_a_line_without_an_end_is_refused_and_dust_is_never_held() -> None:
    splitter = Splitter()
    for _ in range(100):
        assert splitter.feed(b"\r" * 50 + b"x" * 100) == []
    assert not splitter.waits
    splitter.feed(b"\n" + b"9" * dc09.LONGEST_BYTES)
    assert splitter.waits
    with pytest.raises(BadFrame) as refused:
        splitter.feed(b"9" * 10)
    assert refused.value.fault is Fault.LENGTH
    with pytest.raises(BadFrame):
        dc09.read(b"%04X%04X" % (0, dc09.LONGEST_BYTES + 1) + b"x" * (dc09.LONGEST_BYTES + 1))
