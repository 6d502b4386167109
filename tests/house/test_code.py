"""How the code is written, where no linter looks: each rule of the house that a file can break by itself."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.xdist_group("code")  # each process that reads them parses all files

LONGEST_FILE = 400
LONGEST_FUNCTION = 40
GROUND = ("dispatch/services/", "dispatch/models/", "dispatch/rules/")
HOUSE = ("dispatch/", "config/", "migrations/")
FORBIDDEN_NAMES = frozenset({"utils", "helpers", "common", "constants", "misc"})
ENDS_A_TRANSACTION = frozenset({"commit", "rollback"})
OPENS_A_SESSION = frozenset({"Session", "sessionmaker", "create_engine", "make_engine"})
PATCHING = frozenset({"unittest.mock", "mock", "pytest_mock", "freezegun", "time_machine"})
BROAD = frozenset({"Exception", "BaseException"})
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def files() -> list[str]:
    """Every Python file that git knows, from the root."""
    listed = subprocess.run(
        ["git", "ls-files", "*.py"],  # noqa: S607 - git, as installed
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


@cache
def tree(name: str) -> ast.Module:
    """The parsed file."""
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


def house() -> list[str]:
    """The files that run, without the tests."""
    return [name for name in files() if name.startswith(HOUSE)]


def of_the_tests() -> list[str]:
    """The files of the tests."""
    return [name for name in files() if name.startswith("tests/")]


def functions(name: str) -> Iterator[Function]:
    """Every function of a file, methods and inner ones too."""
    return (node for node in ast.walk(tree(name)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def imports(node: ast.AST) -> Iterator[str]:
    """The modules that are imported below a node."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            yield from (alias.name for alias in inner.names)
        elif isinstance(inner, ast.ImportFrom):
            yield inner.module or "."


def calls(name: str) -> Iterator[ast.Call]:
    """Every call of a file."""
    return (node for node in ast.walk(tree(name)) if isinstance(node, ast.Call))


def body_lines(function: Function) -> int:
    """The lines of a function below its signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_the_first_line_of_every_module_says_what_lives_there() -> None:
    silent = [name for name in files() if not (ROOT / name).read_text(encoding="utf-8").startswith(('"""', 'r"""'))]
    assert silent == []


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {name: (ROOT / name).read_text(encoding="utf-8").count("\n") for name in files()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_longer_than_40_lines() -> None:
    long = [
        f"{name}:{function.name} {body_lines(function)}"
        for name in files()
        for function in functions(name)
        if body_lines(function) > LONGEST_FUNCTION
    ]
    assert long == []


def test_no_file_is_named_for_being_of_use() -> None:
    assert [name for name in files() if FORBIDDEN_NAMES & set(Path(name).with_suffix("").parts)] == []


def test_no_import_stands_inside_a_function() -> None:
    names = [*house(), *of_the_tests()]
    inside = [(name, one.name) for name in names for one in functions(name) if any(imports(one))]
    assert inside == []


def test_nobody_but_transaction_ends_a_transaction() -> None:
    ending = [
        f"{name}:{call.lineno}"
        for name in house()
        if name.startswith("dispatch/") and name != "dispatch/transaction.py"
        for call in calls(name)
        if isinstance(call.func, ast.Attribute) and call.func.attr in ENDS_A_TRANSACTION
    ]
    assert ending == []


def test_services_rules_and_models_open_no_session_and_no_engine() -> None:
    opening = [
        f"{name}:{call.lineno}"
        for name in house()
        if name.startswith(GROUND)
        for call in calls(name)
        if ast.unparse(call.func).rpartition(".")[2] in OPENS_A_SESSION
    ]
    assert opening == []


def test_whoever_catches_everything_says_why() -> None:
    silent = []
    for name in files():
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        for node in ast.walk(tree(name)):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = "BaseException" if node.type is None else ast.unparse(node.type)
            reason = lines[node.lineno - 1].partition("# noqa: BLE001 - ")[2]
            if caught in BROAD and not reason:
                silent.append(f"{name}:{node.lineno}")
    assert silent == []


def test_only_the_door_of_the_queue_catches_everything() -> None:
    catching = {
        name
        for name in house()
        for node in ast.walk(tree(name))
        if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) in BROAD)
    }
    assert catching == {"dispatch/workers/run.py"}


def test_no_test_sleeps_or_replaces_what_is_ours() -> None:
    faults = []
    for name in of_the_tests():
        faults += [f"{name}: {module}" for module in imports(tree(name)) if module in PATCHING]
        for call in calls(name):
            word = ast.unparse(call.func)
            if word in {"time.sleep", "sleep", "monkeypatch.setattr", "mocker.patch"}:
                faults.append(f"{name}:{call.lineno} {word}")
    assert faults == []


@pytest.mark.parametrize("floor", ["services", "rules", "models"])
def test_what_others_may_call_says_what_it_does(floor: str) -> None:
    silent = [
        f"{name}:{node.name}"
        for name in house()
        if name.startswith(f"dispatch/{floor}/")
        for node in tree(name).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []
