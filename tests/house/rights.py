"""The routes of the application with the right that each asks for, and the page docs/rights.md made of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask

from dispatch.rules.access.roles import RIGHTS, Right, Role

WITHOUT_BODY = frozenset({"HEAD", "OPTIONS"})
LIBRARY_ROUTES = {
    "static": "our own style sheets, scripts and pictures",
    "api-docs.openapi_json": "the description of the API, without data",
}
SIGNED_IN = "signed_in"
HEAD = """# Who may open what

Made by `tests/house/test_rights.py` from the URL map; the test fails when it differs (`DISPATCH_TEST_WRITE=1
pytest tests/house/test_rights.py` writes it anew). ● may, · is refused with 403; without a log-in every line but
the public ones leads to the log-in (pages) or is refused with 401 (API). Objects out of reach answer 404 like
missing ones. An API key may what its scopes say.
"""


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one address: the right it asks for, or why it is open to all."""

    method: str
    rule: str
    right: Right | str | None
    reason: str | None

    def lets_in(self, role: Role) -> bool:
        """Whether holders of the role are let in."""
        return self.right == SIGNED_IN or self.right in RIGHTS[role]


def routes_of(app: Flask) -> list[Route]:
    """Every method of every rule, sorted."""
    return sorted(found_routes(app), key=lambda route: (route.rule, route.method))


def found_routes(app: Flask) -> Iterator[Route]:
    """The same as they come."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        for method in (rule.methods or set()) - WITHOUT_BODY:
            kind = getattr(view, "view_class", None)
            door = getattr(kind, method.lower()) if kind else view
            reason = getattr(door, "open_to_all", None) or LIBRARY_ROUTES.get(rule.endpoint)
            yield Route(method, rule.rule, getattr(door, "allowed", None), reason)


def page_of(routes: list[Route]) -> str:
    """docs/rights.md."""
    roles = list(Role)
    guarded = [route for route in routes if route.reason is None]
    lines = [HEAD, "| route | right | " + " | ".join(role.value for role in roles) + " |"]
    lines.append("|---|---|" + "---|" * len(roles))
    for route in guarded:
        marks = " | ".join("●" if route.lets_in(role) else "·" for role in roles)
        lines.append(f"| {route.method} `{route.rule}` | {route.right} | {marks} |")
    lines += ["", "## Open to all", "", "| route | why |", "|---|---|"]
    lines += [f"| {route.method} `{route.rule}` | {route.reason} |" for route in routes if route.reason]
    return "\n".join(lines) + "\n"
