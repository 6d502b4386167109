"""Every log call in the source has a fixed event name and only keys that hold ids, codes and numbers."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
KEYS = frozenset(
    {
        *("request_id", "actor_id", "job_id", "job_kind", "order_id", "notice_id", "schedule_id", "job", "session"),
        *("method", "route", "status", "milliseconds", "error", "exc_info", "state", "lane", "seconds", "entries"),
        *("kind", "jobs", "attempts", "passing", "sending", "tries", "why", "hinted", "event_id", "frames"),
        *("condolence_id", "period_id", "subject"),
    }
)
"""Ids, codes, counts and names of our own classes; whoever adds a key says here that it is one of these."""
SPREAD = {"dispatch/workers/system.py": {"audit_head"}}
"""The head of the audit chain is logged whole: a seal's id, digest and signature."""


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call of a logger named `log`, and every binding of a context, with its file."""
    for folder in ("dispatch", "config"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and is_log_call(node.func):
                    yield path.relative_to(ROOT).as_posix(), node


def is_log_call(door: ast.expr) -> bool:
    """log.info(…), self.log.info(…), structlog.contextvars.bind_contextvars(…)."""
    if not isinstance(door, ast.Attribute):
        return False
    named = door.value.id if isinstance(door.value, ast.Name) else getattr(door.value, "attr", "")
    return (named == "log" and door.attr in LEVELS) or door.attr == "bind_contextvars"


def name_of(call: ast.Call) -> str:
    """The event's name; empty where it is not a fixed text."""
    first = call.args[0] if len(call.args) == 1 else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def wrong_with(path: str, call: ast.Call) -> str:
    """What is wrong with one call; empty where nothing is."""
    binds = isinstance(call.func, ast.Attribute) and call.func.attr == "bind_contextvars"
    name = name_of(call)
    if (call.args and binds) or (not binds and not name.isidentifier()):
        return "the event's name is no fixed word"
    unknown = {keyword.arg for keyword in call.keywords if keyword.arg not in KEYS}
    if unknown == {None} and name in SPREAD.get(path, set()):
        return ""
    return f"keys {sorted(map(str, unknown))}" if unknown else ""


def test_every_line_has_a_fixed_name_and_only_known_keys() -> None:
    found = [(f"{path}:{call.lineno}", wrong_with(path, call)) for path, call in calls()]
    assert len(found) > 20
    assert [(place, wrong) for place, wrong in found if wrong] == []


def test_the_test_sees_a_wrong_call() -> None:
    for source in ('log.info(f"order {name}")', 'log.info("placed", caller=name)', 'log.info("placed %s", name)'):
        (call,) = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
        assert is_log_call(call.func)
        assert wrong_with("x.py", call)
