"""What leaves of each object to whom: the keys of the API's answers and the facts of an order's page, as a table."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient

from dispatch.rules.access.roles import Role

FULL, MASKED, EMPTY, REFUSED = "●", "◐", "○", "·"
FACT = re.compile(r"<dt>(.*?)</dt>\s*<dd[^>]*>(.*?)</dd>", re.DOTALL)
TAG = re.compile(r"<[^>]*>")
HEAD = """# What leaves of each object, by role

Made by `tests/house/test_fields.py` from real answers about a small world; the test fails when they differ
(`DISPATCH_TEST_WRITE=1 pytest tests/house/test_fields.py` writes it anew). ● the value, ◐ masked, ○ the key without a
value (nothing there yet, or hidden), · refused. API: a key with the rights of the role; a key never opens a
confidential order. Page: a person of the role, who did not take the call; 地点 of a hidden order is its area alone.
"""
Table = dict[str, dict[Role, str]]


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of the API: its name, the address that tells it, and where in the answer it stands."""

    name: str
    address: str
    where: str = ""

    def read(self, client: FlaskClient) -> dict[str, str] | None:
        """Its keys with how much of each is told; None where it is refused."""
        answer = client.get(self.address)
        if answer.status_code == 403:
            return None
        assert answer.status_code == 200, (self.address, answer.text)
        found = answer.json
        for part in filter(None, self.where.split(".")):
            found = found[int(part)] if part.lstrip("-").isdigit() else found[part]
        return {key: told(value) for key, value in found.items()}


def told(value: Any) -> str:
    """How much a value tells."""
    if value is None or value in ("", [], {}, "保密订单"):
        return EMPTY
    return MASKED if isinstance(value, str) and "*" in value else FULL


def facts(page: str) -> dict[str, str]:
    """The facts that the page of an order names, with how much of each is told."""
    return {TAG.sub("", name).strip(): told_on_page(value) for name, value in FACT.findall(page)}


def told_on_page(value: str) -> str:
    """How much a fact on a page tells."""
    words = TAG.sub("", value).strip()
    return EMPTY if words in {"", "—"} else MASKED if "*" in words else FULL


def table(answers: Mapping[Role, dict[str, str] | None]) -> Table:
    """Keys by role, in the order in which they come."""
    keys = dict.fromkeys(key for answer in answers.values() if answer for key in answer)
    return {
        key: {role: REFUSED if answer is None else answer.get(key, REFUSED) for role, answer in answers.items()}
        for key in keys
    }


def lines_of(name: str, found: Table) -> Iterator[str]:
    """One object as a table; keys that are told alike stand in one line."""
    yield from ("", f"## {name}", "", "| keys | " + " | ".join(role.value for role in Role) + " |")
    yield "|---|" + "---|" * len(Role)
    alike: dict[tuple[str, ...], list[str]] = {}
    for key, marks in found.items():
        alike.setdefault(tuple(marks[role] for role in Role), []).append(f"`{key}`")
    for marks, keys in alike.items():
        yield f"| {' '.join(keys)} | {' | '.join(marks)} |"
