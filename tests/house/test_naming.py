"""What a body or a query names: another community's object is refused like one that nobody has, and writes nothing."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from dispatch.rules.access.roles import NOTHING, Right, Role
from dispatch.transaction import scope_of_request
from dispatch.web.orders.form import MOST_ID
from tests.conftest import Database, the_app
from tests.depth import is_turn
from tests.factories.world import World
from tests.house.askers import NO_ID, Asker, is_api, machine, person, state_of, two_worlds
from tests.house.deeds import DEEDS, Body
from tests.house.naming import NAMINGS, RIGHT, Ids, ids_of
from tests.house.rights import Route, routes_of

TRADES = (Role.WELFARE, Role.ACCOUNTANT, Role.KEEPER)
OF_THE_MARKET = ("funds.", "gifts.", "pledges.", "market.", "campaigns.", "beneficiaries.")
OWN_CARD_READ = 2
"""Goods that are not on offer are asked for with one's own card, whose every reading is noted."""

REFUSED = {404, 409, 422}
FIGURES = re.compile(r"\d+")
AN_ID = re.compile(r".*_ids?|purse|fund|origin|target")


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody of the centre who has every trade of funds and market too, and a key; another world beside theirs."""

    application: Flask
    database: Database
    mine: World
    other: World
    people: Asker
    key: Asker

    def routes(self) -> list[Route]:
        """The routes of funds and of the market that change something; vouchers are of care."""
        of_care = ("/vouchers", "/api/voucher")
        all_routes = [one for one in routes_of(self.application) if not one.rule.startswith(of_care)]
        return [one for one in all_routes if one.method != "GET" and str(one.right).startswith(OF_THE_MARKET)]

    def asker(self, route: Route) -> Asker:
        """Who may."""
        return self.key if is_api(route) else self.people

    def told(self, route: Route, name: str, body: Body) -> tuple[int, str]:
        """An answer without figures: ids, times and amounts."""
        status, text = self.asker(route).answer(route, name, body)
        return status, FIGURES.sub("", text)

    def refuse_alike(self, route: Route, name: str, theirs: Body, nobodys: Body) -> None:
        """What the other world has is refused like what nobody has; a search finds as little."""
        got = self.told(route, name, theirs)
        assert got == self.told(route, name, nobodys), (route, theirs)
        assert route.method == "GET" or got[0] in REFUSED, (route, theirs, got)


@pytest.fixture
def asking(committed: Database) -> Iterator[Asking]:
    application, (mine, other) = the_app(), two_worlds(committed)
    people = person(application, committed, Role.CENTRE, mine.community.id, others=TRADES)
    key = machine(application, committed, mine.community.id, frozenset(Right))
    yield Asking(application, committed, mine, other, people, key)
    scope_of_request.set(NOTHING)


class Asked(dict[str, Any]):
    """Ids that note which of them a body names."""

    def __init__(self, ids: Ids) -> None:
        super().__init__(ids)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.names.add(name)
        return super().__getitem__(name)


def names_in(body: Callable[[Ids], Body], own: Ids) -> list[str]:
    """The ids that a body names."""
    asked = Asked(own)
    body(asked)
    return sorted(name for name in asked.names if isinstance(own[name], int))


def named(asking: Asking, world: World, keeper_id: int | None = None) -> Ids:
    """The ids of a world's objects."""
    with asking.database.session() as session:
        found = ids_of(session, world, keeper_id)
        session.commit()
    return found


def test_every_route_of_funds_and_market_that_makes_something_has_a_row(asking: Asking) -> None:
    making = {(route.method, route.rule) for route in asking.routes() if "<" not in route.rule}
    assert making - {(method, rule) for method, rule, _ in NAMINGS} == set()


def test_what_is_made_of_another_community_s_things_is_refused_like_what_nobody_has(asking: Asking) -> None:
    own, theirs = named(asking, asking.mine, asking.people.user_id), named(asking, asking.other)
    known = {(route.method, route.rule): route for route in routes_of(asking.application)}
    before = state_of(asking.database)
    for method, rule, body in NAMINGS:
        for name in names_in(body, own):
            others, nobodys = body({**own, name: theirs[name]}), body({**own, name: int(NO_ID)})
            asking.refuse_alike(known[method, rule], "", others, nobodys)
            for odd in (MOST_ID + 1, "²"):
                asked = asking.asker(known[method, rule]).ask(known[method, rule], "", body({**own, name: odd}))
                assert asked.status_code in {404, 409, 422}, (rule, name, odd)
    after = state_of(asking.database)
    assert after.pop("audit_entries")[0] - before.pop("audit_entries")[0] == OWN_CARD_READ
    assert after == before
    for method, rule, body in NAMINGS:
        route = known[method, rule]
        got = asking.asker(route).ask(route, "", body(own))
        assert got.status_code in RIGHT, (rule, got.text)


def swapped(own: Body, theirs: Body) -> Iterator[tuple[Body, Body]]:
    """The body with one id after the other that is the other world's, and the same with one that nobody has."""
    for name, value in own.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for others, nobodys in swapped(value[0], theirs[name][0]):
                yield own | {name: [others]}, own | {name: [nobodys]}
        elif AN_ID.fullmatch(name) and theirs[name] != value:
            nobody = [int(NO_ID)] if isinstance(value, list) else type(value)(NO_ID)
            yield own | {name: theirs[name]}, own | {name: nobody}


def test_what_is_done_to_one_s_own_with_another_community_s_things_is_refused_like_what_nobody_has(
    asking: Asking,
) -> None:
    tried = []
    for route in asking.routes():
        deed = DEEDS.get((route.method, route.rule))
        if deed is None:
            continue
        with asking.database.session() as session:
            deed.make(session, asking.other, 0)
            name = deed.make(session, asking.mine, 0 if is_api(route) else asking.people.user_id)
            session.commit()
        named_in_it = enumerate(swapped(deed.body(asking.mine), deed.body(asking.other)))
        rule = f"{route.method} {route.rule}"
        tried += [(route, name, *bodies) for number, bodies in named_in_it if number == 0 or is_turn(number, 2, rule)]
    before = state_of(asking.database)
    for one in tried:
        asking.refuse_alike(*one)
    assert tried
    assert state_of(asking.database) == before
