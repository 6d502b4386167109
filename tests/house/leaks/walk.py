"""Every route of the URL map asked by everybody, and every output opened and searched."""

import csv
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO, StringIO
from urllib.parse import unquote

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dispatch.rules.access.roles import Right
from tests.house.leaks.secret import KIND, MARK, PHONE, Secrets
from tests.house.rights import SIGNED_IN, Route

PLACE_HOLDER = re.compile(r"<(?:[^<>:]+:)?(\w+)>")
CHOICES = re.compile(r"<option\b.*?</option>", re.DOTALL)
CATALOGUE = frozenset({Right.CATALOGUE_READ, Right.CATALOGUE_EDIT, Right.FIRMS_EDIT})
AT_THE_DESK = ("/desk/kinds", "/desk/questions")
"""The catalogue tells kinds to everybody; elsewhere a kind beside a number is the matter of that order."""
DAYS = "from=2026-01-01&until=2027-12-31"
ASKED_WITH: dict[str, tuple[str, ...]] = {
    "/reports": (f"{DAYS}&by=kind",),
    "/reports/file": tuple(f"{DAYS}&by=kind&format={one}" for one in ("xlsx", "csv")),
    "/reports/picture": tuple(f"{DAYS}&by=kind&picture={one}" for one in ("groups", "buildings")),
    "/api/reports": (f"{DAYS}&by=kind",),
    "/reports/orders": (f"{DAYS}&figure=per_ten_thousand", f"{DAYS}&figure=closed"),
    "/reports/orders/file": (
        f"{DAYS}&figure=per_ten_thousand&format=xlsx",
        f"{DAYS}&figure=per_ten_thousand&format=csv",
    ),
    "/my": ("", "part=now"),
    "/orders": ("", "show=open", "show=late", "show=ended", "urgency=same_day"),
}
"""What is asked beside the address; a new route is asked without. A PDF is packed and has the cells of the others."""


BY_KEY = ("/api/", "/metrics")


@dataclass(frozen=True, slots=True)
class Output:
    """One answer: who asked what, its kind and everything in it that can be read."""

    who: str
    route: Route
    status: int
    kind: str
    text: str

    @property
    def marks(self) -> frozenset[str]:
        """The marks in it."""
        found = {word for word in (MARK, PHONE) if word in self.text}
        if KIND in self.text and self.route.right not in CATALOGUE and self.route.rule not in AT_THE_DESK:
            found.add(KIND)
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody with what lets them in."""

    who: str
    client: FlaskClient
    rights: frozenset[Right] = frozenset()
    is_key: bool = False

    def may(self, route: Route) -> bool:
        """Whether the door of the route lets them in; a key opens the API only, a session the pages only."""
        if route.reason is not None:
            return True
        is_right = route.right == SIGNED_IN or route.right in self.rights
        return is_right and route.rule.startswith(BY_KEY) == self.is_key

    def outputs(self, routes: list[Route], secrets: Secrets, part: slice = slice(None)) -> Iterator[Output]:
        """The answer of every route about every order, or about this part of them, one at least."""
        for route in routes:
            every = list(addresses(route, secrets))
            for address in every[part] or every[:1]:
                answer = self.client.open(address, method=route.method)
                yield Output(self.who, route, answer.status_code, answer.mimetype, readable(answer))


def addresses(route: Route, secrets: Secrets) -> Iterator[str]:
    """The addresses of a route: one for each order, link and request that it may be about."""
    names = set(PLACE_HOLDER.findall(route.rule))
    values: dict[str, list[str]] = {
        "number": list(secrets.numbers.values()),
        "token": [secrets.holder, secrets.decliner, *secrets.tokens, "nobody-s-token-0123456789abcdef"],
        "complaint_id": [str(one) for one in secrets.complaints],
        "request_id": [str(one) for one in secrets.requests],
    }
    varying = next((name for name in values if name in names), None)
    for value in values[varying] if varying else [""]:
        of_route = secrets.ids | ({varying: value} if varying else {})
        address = PLACE_HOLDER.sub(lambda found, named=of_route: named.get(found[1], "1"), route.rule)  # type: ignore[misc]
        for asked in ASKED_WITH.get(route.rule, ("",)) if route.method == "GET" else ("",):
            yield f"{address}?{asked}" if asked else address


def readable(answer: TestResponse) -> str:
    """All that an answer says: headers, addresses, and its body, unpacked."""
    headers = unquote(str(answer.headers))
    if answer.mimetype == "text/event-stream":
        first = next(iter(answer.response))
        answer.close()
        return headers + (first.decode() if isinstance(first, bytes) else first)
    data = answer.get_data()
    answer.close()
    return headers + CHOICES.sub("", opened(data, answer.mimetype))


def opened(data: bytes, kind: str) -> str:
    """A body as text; a workbook part by part."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(data)) as book:
            return "\n".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    text = data.decode("utf-8", "replace")
    if kind == "text/csv":
        return "\n".join(cell for row in csv.reader(StringIO(text)) for cell in row)
    return unquote(text)


def with_data(routes: list[Route]) -> list[Route]:
    """The routes but for the files of the house itself."""
    return [route for route in routes if not route.rule.startswith(("/static/", "/vendor/"))]
