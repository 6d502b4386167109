"""What alarm devices say: standard codes, keys of a model, and texts that say nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.seed import policies
from dispatch.rules.care.signals import (
    ASKED,
    PRESSING,
    WISHES,
    KeyOfModel,
    Meaning,
    Signal,
    UnreadableSignal,
    is_still,
    meaning_of,
    read_signals,
)

KEYS = (KeyOfModel("1101", "002", Meaning.COMMUNITY), KeyOfModel("1140", "", Meaning.LIFE))


@pytest.mark.parametrize(
    ("data", "code", "zone", "meaning"),
    [
        ("#3001|1101 00 001", "1101", "001", Meaning.EMERGENCY),
        ("#3001|1102 00 001", "1102", "001", Meaning.NO_MOVEMENT),
        ("#3001|1103 01 00A", "1103", "00A", Meaning.FALL),
        ("#AAA|3401 01 070", "3401", "070", Meaning.AWAY),
        ("#3001|1301 00 000", "1301", "000", Meaning.MAINS_LOST),
        ("#3001|3301 00 000", "3301", "000", Meaning.MAINS_BACK),
        ("#3001|6101 00 001", "6101", "001", Meaning.EMERGENCY),
        ("#3001|1641 00 001", "1641", "001", Meaning.NO_MOVEMENT),
        ("#3001|1999 00 001", "1999", "001", Meaning.UNKNOWN),
    ],
)
def test_contact_id_is_read_as_the_standard_has_it(data: str, code: str, zone: str, meaning: Meaning) -> None:
    assert read_signals("ADM-CID", data) == (Signal(code, zone),)
    assert meaning_of(Signal(code, zone)) is meaning


@pytest.mark.parametrize(
    ("data", "signals"),
    [
        ("#3001|NPA01", [Signal("PA", "01")]),
        ("#3001|Nri1/id5^Wang^/ti10:23/QA2", [Signal("QA", "2")]),
        ("#3001|Nri1id3ti10:23:00MA12^bed^", [Signal("MA", "12")]),
        ("#3001|NYT/AT", [Signal("YT"), Signal("AT")]),
        ("#1234|NRR|Atest", [Signal("RR")]),
        ('#3001|NFA7*"smoke"NM', [Signal("FA", "7")]),
    ],
)
def test_blocks_of_sia_are_read_with_modifiers_texts_and_several_events(data: str, signals: list[Signal]) -> None:
    assert list(read_signals("SIA-DCS", data)) == signals


@pytest.mark.parametrize("data", ["", "#3001|", "#3001|1101 00", "#3001|2101 00 001", "#3001|1101 00 001|1101 00 002"])
def test_contact_id_that_is_none_is_said_to_be_unreadable(data: str) -> None:
    with pytest.raises(UnreadableSignal):
        read_signals("ADM-CID", data)


@pytest.mark.parametrize("data", ["", "#3001|Ahello", "#3001|N", "#3001|N$", "#3001|N" + "/".join(["PA"] * 9)])
def test_sia_that_is_none_is_said_to_be_unreadable(data: str) -> None:
    with pytest.raises(UnreadableSignal):
        read_signals("SIA-DCS", data)


@given(token=st.sampled_from(["ADM-CID", "SIA-DCS", "NULL"]), data=st.text(max_size=60))
def test_any_text_is_read_or_refused_by_name(token: str, data: str) -> None:
    try:
        signals = read_signals(token, data)
    except UnreadableSignal:
        return
    assert all(isinstance(meaning_of(one, KEYS), Meaning) for one in signals)
    assert bool(signals) == (token != "NULL")


def test_a_model_has_keys_of_its_own_by_zone_and_for_all_zones() -> None:
    assert meaning_of(Signal("1101", "002"), KEYS) is Meaning.COMMUNITY
    assert meaning_of(Signal("1101", "001"), KEYS) is Meaning.EMERGENCY
    assert meaning_of(Signal("1140", "777"), KEYS) is Meaning.LIFE
    assert meaning_of(Signal("3101", "002"), KEYS) is Meaning.GOOD_AGAIN


def test_what_is_seeded_for_models_is_what_the_rules_know() -> None:
    models = next(one.value for one in policies() if one.key == "alarms.models")
    meanings = {Meaning(key["meaning"]) for model in models for key in model["keys"]}
    assert meanings >= WISHES
    assert all(Meaning(key["meaning"]) in ASKED for model in models for key in model["keys"])
    assert len({model["code"] for model in models}) == len(models)


def test_an_alarm_that_still_stands_is_told_from_a_new_one_and_pressing_from_wished() -> None:
    assert is_still(Signal("6101", "001"))
    assert not is_still(Signal("1601", "001"))
    assert not PRESSING & WISHES
