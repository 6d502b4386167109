"""Everybody whom the tales need: keys, people at their screens, teams, performers, and which routes there are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dispatch.demo.community import Community
from dispatch.demo.day.agenda import BusinessTime
from dispatch.demo.day.firms import Firms
from dispatch.demo.day.people import Desk
from dispatch.demo.day.story import Story
from dispatch.demo.day.wire import Answer, Browser, Wire
from dispatch.demo.week.director import NotBuilt
from dispatch.rules.access.roles import Role

MOST_LISTED = 100
ROUTES = "/api/openapi.json"
OK = 200


@dataclass(slots=True)
class House:
    """One running installation, as its staff use it."""

    wire: Wire
    keys: Mapping[str, str]
    community: Community
    desk: Desk
    story: Story
    time: BusinessTime
    browsers: Mapping[str, Browser]
    phones: Firms
    asked: int = 0
    routes: frozenset[str] = frozenset()
    teams: list[Mapping[str, Any]] = field(default_factory=list)
    heads: dict[int, str] = field(default_factory=dict)
    firms: dict[str, list[int]] = field(default_factory=dict)

    def learn(self) -> None:
        """Read once which routes there are, and the teams with those who head them."""
        described = self.wire.ask("GET", ROUTES).json()["paths"]
        self.routes = frozenset(f"{method.upper()} {path}" for path, methods in described.items() for method in methods)
        self.teams = self.listed("/api/teams")
        ids = {team["code"]: team["id"] for team in self.teams}
        self.heads = {
            ids[one.team_code]: one.login
            for one in self.community.staff
            if one.role is Role.TEAM_HEAD and one.team_code in ids
        }

    def listed(self, path: str) -> list[Mapping[str, Any]]:
        """All of a list."""
        found: list[Mapping[str, Any]] = []
        cursor: Any = None
        while True:
            mark = "&" if "?" in path else "?"
            more = "" if cursor is None else f"&cursor={cursor}"
            page = self.wire.api(self.keys["read"], "GET", f"{path}{mark}limit={MOST_LISTED}{more}").json()
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                return found

    def need(self, *routes: str) -> None:
        """Raise NotBuilt for the first route that the installation does not have."""
        for route in routes:
            if route not in self.routes:
                raise NotBuilt(route)

    def api(self, key: str, method: str, path: str, content: object = None) -> Answer:
        """A call by one of the demo's keys, each once."""
        self.asked += 1
        once = None if method == "GET" else f"week-{self.story.seed}-{self.desk.begins:%Y%m%d}-{self.asked}"
        if method != "GET":
            self.story.stir()
        return self.wire.api(self.keys[key], method, path, content, once=once)

    def read(self, path: str) -> Any:
        """What the installation shows."""
        return self.api("read", "GET", path).json()

    def page(self, login: str, page: str, path: str, form: Mapping[str, str]) -> Answer:
        """A form that somebody of the staff sends from a page."""
        return self.browsers[login].post(page, path, form)

    def other_team(self, team_id: int | None, kind: str = "block") -> int:
        """Another team of a kind than the one given."""
        others = [int(team["id"]) for team in self.teams if team["kind"] == kind and team["id"] != team_id]
        return others[(team_id or 0) % len(others)]

    def performers_of(self, kind_code: str) -> list[int]:
        """Who serves a kind, by id."""
        if kind_code not in self.firms:
            found = self.listed(f"/api/performers?service_code={kind_code}")
            self.firms[kind_code] = [int(one["id"]) for one in found]
        return self.firms[kind_code]
