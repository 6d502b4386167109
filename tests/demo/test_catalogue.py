"""The catalogue and the policies that a new community starts with."""

from collections import Counter

from config.seed import ServiceKind, line_teams, policies, service_kinds
from dispatch.rules.catalogue.calendar import Period
from dispatch.rules.orders.decision import OfferMode, PerformerClass

NAMED_IN_THE_DOCUMENT = {"医疗保健", "水电修理", "灌送煤气", "管道疏通"}
STATION_IN_THE_DOCUMENT = {"家政服务", "水电修理", "管道疏通", "职业介绍"}
URGENCIES = {"emergency", "urgent", "same_day", "booked"}
LONGEST_NAME = 8


def offered_at(place: str) -> list[ServiceKind]:
    return [kind for kind in service_kinds() if place in kind.offered]


def test_the_hotline_has_exactly_32_kinds_with_the_four_of_the_document() -> None:
    kinds = offered_at("hotline")
    assert len(kinds) == 32
    assert {kind.name for kind in kinds} >= NAMED_IN_THE_DOCUMENT


def test_the_station_has_12_of_the_32_with_those_of_the_document_and_a_kind_for_all_else() -> None:
    station = offered_at("station")
    assert len(station) == 12
    assert all("hotline" in kind.offered for kind in station)
    assert {kind.name for kind in station} >= STATION_IN_THE_DOCUMENT
    assert "other_service" in {kind.code for kind in station}


def test_counselling_has_13_kinds_one_to_one_confidential_and_group() -> None:
    kinds = offered_at("counselling")
    assert len(kinds) == 13
    assert {kind.name for kind in kinds} >= {"个体咨询", "职业培训", "健康辅导"}
    assert Counter(kind.form for kind in kinds) == {"one_to_one": 9, "group": 4}
    assert all(kind.confidential == (kind.form == "one_to_one") for kind in kinds)


def test_codes_and_names_are_unique_and_names_are_short() -> None:
    kinds = service_kinds()
    assert len({kind.code for kind in kinds}) == len(kinds) == 59
    assert len({kind.name for kind in kinds}) == len(kinds)
    assert all(len(kind.name) <= LONGEST_NAME for kind in kinds)


def test_no_spoken_phrase_of_the_hotline_means_two_kinds() -> None:
    said = Counter(word for kind in offered_at("hotline") for word in {kind.name, *kind.synonyms})
    assert [word for word, count in said.items() if count > 1] == []


def test_the_documents_own_spelling_of_drain_clearing_is_found() -> None:
    drain = next(kind for kind in service_kinds() if kind.code == "drain_clearing")
    assert {"输通管道", "管道输通"} <= set(drain.synonyms)


def test_every_kind_is_made_of_known_words_and_possible_limits() -> None:
    for kind in service_kinds():
        assert kind.performer in set(PerformerClass), kind.code
        assert kind.given in set(OfferMode), kind.code
        assert kind.urgency in URGENCIES, kind.code
        assert {kind.service_clock, kind.sign_clock} <= {"working", "always"}, kind.code
        assert kind.civic_working_days in {3, 5, 15}, kind.code
        assert min(kind.service_minutes, kind.sign_minutes, kind.hold_minutes) > 0, kind.code
        assert (kind.arrive_minutes or 1) <= kind.service_minutes, kind.code


def test_opening_hours_can_be_read_as_periods_of_a_week() -> None:
    for kind in service_kinds():
        for line in kind.hours:
            days, period = line.split()
            first, last = map(int, days.split("-"))
            assert 1 <= first <= last <= 7, kind.code
            assert Period.of(period).start < Period.of(period).end, kind.code


def test_hotline_kinds_ask_two_to_five_questions_with_codes_of_their_own() -> None:
    for kind in offered_at("hotline"):
        assert 2 <= len(kind.questions) <= 5, kind.code
        assert len({question.code for question in kind.questions}) == len(kind.questions), kind.code
        for question in kind.questions:
            assert (question.datatype == "list") == bool(question.values)
            assert all(isinstance(key, str) for key, _ in question.values)


def test_figures_count_the_hotline_only_and_programmes_have_no_callback_but_the_alarm() -> None:
    assert all(kind.in_figures == ("hotline" in kind.offered) for kind in service_kinds())
    quiet = [kind for kind in service_kinds() if "hotline" not in kind.offered and kind.callback]
    assert [kind.code for kind in quiet] == ["alarm"]


def test_emergencies_are_open_at_any_hour_and_told_at_once() -> None:
    for kind in service_kinds():
        if kind.urgency == "emergency":
            assert kind.hours == ("1-7 00:00-24:00",)
            assert (kind.service_clock, kind.sign_minutes, kind.hold_minutes) == ("always", 15, 3)


def test_published_arrival_limits_stand() -> None:
    arrive = {kind.code: kind.arrive_minutes for kind in service_kinds()}
    assert (arrive["power_fault"], arrive["gas_leak"]) == (45, 60)


def test_there_are_24_line_teams_and_every_speciality_has_one_and_every_team_a_kind() -> None:
    teams = {team.code for team in line_teams()}
    assert len(teams) == 24
    assert {kind.speciality for kind in service_kinds()} - {None} == teams


def test_policies_have_unique_keys_a_unit_and_a_source() -> None:
    rows = policies()
    assert len({row.key for row in rows}) == len(rows)
    assert {row.source for row in rows} == {"Q", "practice"}
    assert all(row.unit and row.meaning for row in rows)


def test_policies_name_the_working_day_and_the_quiet_hours() -> None:
    values = {row.key: row.value for row in policies()}
    assert [Period.of(text) for text in values["calendar.working_periods"]] == [
        Period(510, 720),
        Period(840, 1050),
    ]
    assert Period.of(values["notify.quiet_hours"]).is_over_midnight
    assert values["callback.tries"] == 3
    weights = [values[f"figures.weight.{name}"] for name in ("response", "solved", "satisfied")]
    assert sum(weights) == 1
