"""Reports: sums over any days by team, area, kind and firm, opened to their orders, limited by reach."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.grid import Household, Resident
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, Role, Scope
from dispatch.rules.reports.counts import Counts
from dispatch.rules.reports.figures import Figure, shown
from dispatch.services import reports
from dispatch.services.access import policies
from dispatch.services.reports import AssignedBy, Grouping, Part, ReportQuery
from dispatch.services.reports.counting.definitions import DEFINITIONS
from tests.factories.reported import DAY, MORNING, Lives
from tests.factories.world import set_policies, staff
from tests.services.reports.test_counting import BY_HAND
from tests.statements import statements

MONDAY = date(2026, 11, 2)
NAMES = ("satisfied", "reopened", "unreached", "late", "declined", "moved", "open", "voided", "gossip", "repeat")
NOVEMBER = ReportQuery(date(2026, 11, 1), date(2026, 11, 30))


@pytest.fixture
def session(lives: Lives) -> Session:
    """The session in which the week is read and changed."""
    return lives.session


@pytest.fixture
def centre(session: Session, lives: Lives) -> Actor:
    """Somebody of the centre."""
    return staff(session, lives.world, Role.CENTRE)


def names(found: reports.Report) -> dict[str, int]:
    return {row.name: row.counts.placed for row in found.rows}


@pytest.mark.parametrize("by", list(Grouping))
@pytest.mark.parametrize("assigned_by", list(AssignedBy))
def test_the_rows_of_a_report_add_up_to_all_orders(
    session: Session, centre: Actor, by: Grouping, assigned_by: AssignedBy
) -> None:
    found = reports.report(session, replace(NOVEMBER, by=by, assigned_by=assigned_by), actor=centre)
    assert found.total == BY_HAND
    assert sum((row.counts for row in found.rows), Counts()) == BY_HAND


def test_rows_are_named_and_counted_by_their_group(session: Session, lives: Lives, centre: Actor) -> None:
    world = lives.world

    def asked(by: Grouping, assigned_by: AssignedBy = AssignedBy.LEAD) -> dict[str, int]:
        return names(reports.report(session, replace(NOVEMBER, by=by, assigned_by=assigned_by), actor=centre))

    assert asked(Grouping.TEAM) == {world.line.name: 7, world.block.name: 3}
    assert asked(Grouping.TEAM, AssignedBy.ACCOUNTABLE) == {world.block.name: 10}
    assert asked(Grouping.KIND) == {"管道疏通": 7, "mediation": 3}
    assert asked(Grouping.AREA) == {"一片区": 10}


def test_the_figures_of_the_ten_orders(session: Session, centre: Actor) -> None:
    found = reports.report(session, NOVEMBER, actor=centre)
    values = {str(figure): shown(figure, value) for figure, value in found.figures().items()}
    assert values == {
        "response": Decimal("75.00"),
        "solved": Decimal("75.00"),
        "satisfied": Decimal("72.50"),
        "composite": Decimal("74.00"),
        "closed": Decimal("44.44"),
        "closed_in_time": Decimal("44.44"),
        "answered_in_time": Decimal("55.56"),
        "signed_in_time": None,
        "arrived_in_time": Decimal("55.56"),
        "first_accepted": Decimal("85.71"),
        "offers_per_order": Decimal("1.40"),
        "minutes_to_accept": Decimal("5.88"),
        "returned": Decimal("0.00"),
        "misrouted": Decimal("10.00"),
        "overridden": Decimal("10.00"),
        "reopened": Decimal("50.00"),
        "repeated": Decimal("11.11"),
        "fairness": values["fairness"],
        "per_ten_thousand": None,
    }
    assert values["fairness"] is not None


def test_weights_come_from_the_policies(session: Session, lives: Lives, centre: Actor) -> None:
    set_policies(session, lives.world.district, figures__weight__response=1, figures__weight__solved=0)
    policies.remembered.forget(session)
    found = reports.report(session, NOVEMBER, actor=centre)
    expected = (Fraction(3, 4) * 1 + Fraction(4, 10) * Fraction(725, 1000)) / Fraction(14, 10)
    assert found.figures()[Figure.COMPOSITE].value == expected


def test_days_without_orders_have_no_data(session: Session, centre: Actor) -> None:
    found = reports.report(session, ReportQuery(date(2026, 1, 1), date(2026, 1, 31)), actor=centre)
    assert found.rows == []
    assert {shown(figure, value) for figure, value in found.figures().items()} == {None}


def test_a_report_is_set_beside_the_period_before(session: Session, centre: Actor) -> None:
    found = reports.report(session, ReportQuery(date(2026, 12, 1), date(2026, 12, 31)), actor=centre)
    assert (found.before_days, found.before.placed) == ((date(2026, 11, 1), date(2026, 11, 30)), 10)
    week = reports.report(session, ReportQuery(date(2026, 11, 9), date(2026, 11, 15)), actor=centre)
    assert (week.before_days[0], week.before.placed, week.total.due) == (MONDAY, 10, 9)


@pytest.mark.parametrize(
    ("begin", "days"), [(MONDAY, 1), (MONDAY, 7), (date(2026, 10, 28), 12), (date(2026, 9, 1), 120), (MONDAY, 900)]
)
def test_a_trend_adds_up_to_its_report(session: Session, centre: Actor, begin: date, days: int) -> None:
    query = ReportQuery(begin, begin + timedelta(days=days - 1))
    steps = reports.trend(session, query, actor=centre)
    assert sum((step.counts for step in steps), Counts()) == reports.report(session, query, actor=centre).total
    assert (steps[0].first, steps[-1].last) == (query.begin, query.end)


def test_filters_narrow_a_report(session: Session, lives: Lives, centre: Actor) -> None:
    world = lives.world
    for changes, placed in (
        ({"service_id": world.gossip.id}, 3),
        ({"team_id": world.line.id}, 7),
        ({"team_id": world.block.id, "assigned_by": AssignedBy.ACCOUNTABLE}, 10),
        ({"area_id": world.area.id, "service_id": world.plumbing.id}, 7),
        ({"community_id": world.community.id}, 10),
        ({"area_id": -1}, 0),
    ):
        query = replace(NOVEMBER, by=Grouping.KIND, **changes)  # type: ignore[arg-type]
        assert reports.report(session, query, actor=centre).total.placed == placed


@pytest.mark.parametrize("query", [ReportQuery(MONDAY, MONDAY - DAY), ReportQuery(date(2020, 1, 1), MONDAY)])
def test_days_the_wrong_way_round_and_too_many_are_refused(session: Session, centre: Actor, query: ReportQuery) -> None:
    for ask in (reports.report, reports.trend, reports.heat):
        with pytest.raises(Invalid) as refused:
            ask(session, query, actor=centre)
        assert refused.value.field == "until"


def test_heat_says_where_and_when_orders_come(session: Session, lives: Lives, centre: Actor) -> None:
    found = reports.heat(session, ReportQuery(MONDAY, MONDAY + 6 * DAY), actor=centre)
    (area,) = found.areas
    assert list(area.steps) == [8, 1, 0, 1, 0, 0, 0]
    assert {hour: placed for hour, placed in enumerate(area.hours) if placed} == {9: 8, 11: 1, 12: 1}
    assert [one.placed for one in found.buildings] == [5, 3, 2]
    assert [one.id for one in found.buildings] == [one.id for one in lives.world.buildings]


def test_residents_make_the_figure_per_ten_thousand(session: Session, lives: Lives, centre: Actor) -> None:
    home = Household(community_id=lives.world.community.id, stairwell_id=lives.world.stairwells[0].id, room="101")
    session.add(home)
    session.flush()
    for number in range(4):
        session.add(
            Resident(
                uid=f"00000000-0000-4000-8000-00000000000{number}",
                community_id=lives.world.community.id,
                household_id=home.id,
                name=f"某{number}",
                name_key="m",
                left_at=MORNING if number == 3 else None,
            )
        )
    session.flush()
    found = reports.report(session, replace(NOVEMBER, by=Grouping.AREA), actor=centre)
    expected = Decimal("33333.33")
    assert shown(Figure.PER_TEN_THOUSAND, found.figures()[Figure.PER_TEN_THOUSAND]) == expected
    assert shown(Figure.PER_TEN_THOUSAND, found.figures(found.rows[0])[Figure.PER_TEN_THOUSAND]) == expected


def opened(
    session: Session, figure: Figure, actor: Actor, query: ReportQuery = NOVEMBER
) -> dict[str, tuple[str, str | None]]:
    page = reports.open_figure(session, query, figure, limit=100, actor=actor)
    return {one.number: (str(one.part), one.reason) for one in page.items}


def test_a_figure_opens_to_what_it_counts_and_leaves_out_with_the_reason(session: Session, centre: Actor) -> None:
    made = {order.number: order for order in session.scalars(select(Order).order_by(Order.id))}
    assert len(made) == 10
    by_number = dict(zip(made, NAMES, strict=True))

    def parts(figure: Figure) -> dict[str, tuple[str, str | None]]:
        return {by_number[number]: said for number, said in opened(session, figure, centre).items()}

    assert parts(Figure.SOLVED) == {
        "satisfied": ("counted", None),
        "reopened": ("counted", None),
        "declined": ("counted", None),
        "gossip": ("not_counted", "unsolved"),
        "unreached": ("left_out", "unreached"),
    }
    assert parts(Figure.SATISFIED)["gossip"] == ("not_counted", "dissatisfied")
    assert parts(Figure.RESPONSE)["declined"] == ("not_counted", "not_contacted")
    due = parts(Figure.ANSWERED_IN_TIME)
    assert (due["late"], due["open"], due["voided"]) == (
        ("not_counted", "late"),
        ("not_counted", "unanswered"),
        ("left_out", "voided"),
    )
    first = parts(Figure.FIRST_ACCEPTED)
    assert (first["declined"], first["moved"], first["repeat"]) == (
        ("not_counted", "declined"),
        ("left_out", "round_withdrawn"),
        ("left_out", "round_open"),
    )
    assert parts(Figure.MISROUTED)["moved"] == ("counted", None)
    assert parts(Figure.REPEATED)["repeat"] == ("counted", None)


@pytest.mark.parametrize("figure", list(Figure))
def test_what_a_figure_opens_to_is_what_it_was_counted_from(session: Session, centre: Actor, figure: Figure) -> None:
    found = reports.report(session, NOVEMBER, actor=centre).figures()
    parts = [part for part, _ in opened(session, figure, centre).values()]
    counted, base = parts.count("counted"), len(parts) - parts.count("left_out")
    sums = {Figure.SATISFIED, Figure.COMPOSITE, Figure.OFFERS_PER_ORDER, Figure.MINUTES_TO_ACCEPT}
    if figure in {Figure.FAIRNESS, Figure.PER_TEN_THOUSAND}:
        assert counted == base == (7 if figure is Figure.FAIRNESS else 10)
        return
    assert base == found[figure].denominator
    if figure not in sums:
        assert counted == found[figure].numerator
    assert set(DEFINITIONS) == set(Figure)


def test_opened_orders_are_paged_and_narrowed_to_a_part(session: Session, lives: Lives, centre: Actor) -> None:
    numbers: list[str] = []
    cursor = None
    while True:
        page = reports.open_figure(session, NOVEMBER, Figure.PER_TEN_THOUSAND, cursor=cursor, limit=3, actor=centre)
        numbers += [one.number for one in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert len(numbers) == len(set(numbers)) == 10
    query = replace(NOVEMBER, service_id=lives.world.gossip.id)
    late = reports.open_figure(session, query, Figure.CLOSED, part=Part.LEFT_OUT, actor=centre)
    assert [one.reason for one in late.items] == ["voided"]
    for cursor, limit in (("???", 3), ("", 0), ("MjAyNi0xMS0wMi8w", 3), (None, 101)):
        with pytest.raises(Invalid):
            reports.open_figure(session, NOVEMBER, Figure.CLOSED, cursor=cursor, limit=limit, actor=centre)


def test_a_confidential_order_is_counted_but_says_nothing(session: Session, lives: Lives, centre: Actor) -> None:
    order = lives.placed(MORNING + 4 * DAY, confidential=True, stairwell_id=lives.world.stairwells[4].id)
    lives.counted()
    page = reports.open_figure(session, NOVEMBER, Figure.PER_TEN_THOUSAND, limit=100, actor=centre)
    (shown_order,) = [one for one in page.items if one.number == order.number]
    assert (shown_order.service, shown_order.area, shown_order.team, shown_order.performer) == (None,) * 4
    assert reports.report(session, NOVEMBER, actor=centre).total.placed == 11


def test_no_report_tells_the_kind_of_a_confidential_order_by_a_count(
    session: Session, lives: Lives, centre: Actor
) -> None:
    day = MORNING + 4 * DAY
    order = lives.placed(day, confidential=True, stairwell_id=lives.world.stairwells[4].id)
    lives.counted()
    that_day = replace(NOVEMBER, begin=day.date(), end=day.date(), area_id=order.area_id)
    by_kind = reports.report(session, replace(that_day, by=Grouping.KIND), actor=centre)
    assert [(row.id, row.name, row.counts.placed) for row in by_kind.rows] == [(None, "", 1)]
    of_kind = replace(that_day, service_id=order.service_id)
    assert reports.report(session, of_kind, actor=centre).total.placed == 0
    assert reports.open_figure(session, of_kind, Figure.PER_TEN_THOUSAND, actor=centre).items == []
    heat = reports.heat(session, that_day, actor=centre)
    assert sum(one.placed for one in heat.buildings) == 0


def narrowed(actor: Actor, **parts: frozenset[int]) -> Actor:
    return replace(actor, narrowed=True, **parts)  # type: ignore[arg-type]


def test_narrowed_roles_see_their_own_part(session: Session, lives: Lives, centre: Actor) -> None:
    world = lives.world
    for actor, placed in (
        (narrowed(centre, areas=frozenset({world.area.id})), 10),
        (narrowed(centre, areas=frozenset({-1})), 0),
        (narrowed(centre, teams=frozenset({world.line.id})), 7),
        (narrowed(centre, teams=frozenset({world.block.id})), 10),
        (narrowed(centre), 0),
    ):
        assert reports.report(session, NOVEMBER, actor=actor).total.placed == placed
        assert len(opened(session, Figure.PER_TEN_THOUSAND, actor)) == placed
        shown_heat = reports.heat(session, NOVEMBER, actor=actor)
        assert sum(sum(area.hours) for area in shown_heat.areas) in {0, placed}


def test_another_community_is_out_of_reach(session: Session, lives: Lives, centre: Actor) -> None:
    other = replace(centre, scope=Scope(organisations=frozenset({-1}), communities=frozenset({-1})))
    assert reports.report(session, NOVEMBER, actor=other).total == Counts()
    assert opened(session, Figure.CLOSED, other) == {}
    assert reports.heat(session, NOVEMBER, actor=other).areas == []
    assert reports.communities_of(session, other) == []
    assert (lives.world.community.id, lives.world.community.name) in reports.communities_of(session, centre)


def test_the_number_of_queries_does_not_grow_with_orders_and_days(
    session: Session, lives: Lives, centre: Actor
) -> None:
    def asked(query: ReportQuery) -> int:
        policies.remembered.forget(session)
        with statements(session) as sent:
            reports.report(session, query, actor=centre)
            reports.trend(session, query, actor=centre)
            reports.heat(session, query, actor=centre)
            reports.open_figure(session, query, Figure.CLOSED, actor=centre)
        return len(sent)

    few = asked(ReportQuery(MONDAY, MONDAY))
    for number in range(8):
        lives.placed(MORNING + number * DAY, stairwell_id=lives.world.stairwells[number % 6].id)
    lives.counted()
    assert asked(ReportQuery(date(2024, 6, 3), date(2026, 12, 30))) == few


def test_the_team_that_counts_is_a_policy(session: Session, lives: Lives, centre: Actor) -> None:
    assert reports.assigned_by(session, centre) is AssignedBy.LEAD
    set_policies(session, lives.world.district, figures__assigned_by="accountable")
    policies.remembered.forget(session)
    assert reports.assigned_by(session, centre) is AssignedBy.ACCOUNTABLE
