"""Firms, team workers and helpers of the demo: papers, channels, every kind covered everywhere."""

from collections import Counter
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.demo import Community, make_community
from dispatch.demo.performers import Performer
from dispatch.demo.trades import ROUND_THE_CLOCK


def serving(community: Community, kind: str, area: str, performer: str) -> list[Performer]:
    return [
        one
        for one in community.performers
        if one.kind == performer and kind in one.kinds and area in one.areas and one.has_papers_on(community.today)
    ]


def thinnest_cover(community: Community) -> int:
    return min(
        len(serving(community, kind.code, area.code, kind.performer))
        for kind in community.services
        if "hotline" in kind.offered
        for area in community.grid.areas
    )


def test_every_hotline_kind_has_three_performers_with_valid_papers_in_every_area(
    community: Community,
) -> None:
    assert thinnest_cover(community) >= 3


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_the_cover_holds_for_any_seed(seed: int) -> None:
    assert thinnest_cover(make_community(date(2026, 11, 23), seed)) >= 3


def test_emergencies_have_somebody_awake_at_night_in_every_area(community: Community) -> None:
    for kind in community.services:
        if "hotline" in kind.offered and kind.urgency in {"emergency", "urgent"}:
            for area in community.grid.areas:
                found = serving(community, kind.code, area.code, kind.performer)
                assert any(one.hours == ROUND_THE_CLOCK for one in found), (kind.code, area.code)


def test_there_are_64_firms_with_one_to_six_kinds_and_both_channels(community: Community) -> None:
    assert len(community.firms) == 64
    assert len({firm.name for firm in community.firms}) == 64
    assert all(1 <= len(firm.kinds) <= 6 for firm in community.firms)
    assert Counter(firm.channel for firm in community.firms) == {"webhook": 32, "email": 32}
    assert len({firm.webhook_secret for firm in community.firms}) == 33


def test_two_firms_have_expired_papers_and_three_soon_will(community: Community) -> None:
    soon = community.today + timedelta(days=30)
    last_days = [min(paper.valid_until for paper in firm.papers) for firm in community.firms]
    assert sum(day < community.today for day in last_days) == 2
    assert sum(community.today <= day <= soon for day in last_days) == 3
    assert all(paper.valid_from < paper.valid_until for firm in community.firms for paper in firm.papers)


def test_performers_name_only_kinds_areas_and_teams_that_exist(community: Community) -> None:
    performer_of = {kind.code: kind.performer for kind in community.services}
    visits = {kind.code for kind in community.services if kind.given == "named" and kind.performer == "helper"}
    areas = {area.code for area in community.grid.areas}
    teams = {team.code for team in community.teams}
    assert len({one.code for one in community.performers}) == len(community.performers)
    for one in community.performers:
        own = set(one.kinds) - (visits if one.kind == "team_worker" else set())
        assert {performer_of[kind] for kind in own} <= {one.kind, "named"}, one.code
        assert one.areas
        assert set(one.areas) <= areas
        assert one.capacity > 0
        assert one.kind != "team_worker" or one.team_code in teams


def test_each_team_worker_has_a_login_and_each_helper_stands_in_the_register(community: Community) -> None:
    logins = {member.login for member in community.staff}
    residents = {one.code: one for one in community.register.residents}
    assert {worker.login for worker in community.team_workers} <= logins
    assert len({one.resident_code for one in community.helpers}) == len(community.helpers)
    assert all(one.phone == residents[one.resident_code or ""].phone for one in community.helpers)


def test_work_resources_are_residents_or_units_who_consented(community: Community) -> None:
    assert set(Counter(one.kind for one in community.resources)) == {
        "volunteer",
        "party_member",
        "artist",
        "partner_unit",
    }
    assert all((one.resident_code is None) != (one.unit_code is None) for one in community.resources)
    assert all(one.consented_on < community.today for one in community.resources)
    sent = {one.performer_code for one in community.resources} - {None}
    assert sent == {one.code for one in community.helpers}
    members = {one.code for one in community.register.residents if one.party_member}
    assert all(one.resident_code in members for one in community.resources if one.kind == "party_member")
