"""Every text that a page or the API may say has its English, with the same places for facts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from dispatch.rules.care import asking, chain, devices, events, festivals, signals, terms
from dispatch.rules.market import (
    campaigns,
    cards,
    double_dip,
    eligibility,
    gifts,
    hand_outs,
    pledges,
    rounds,
    sales,
    shipments,
)
from dispatch.rules.orders.callback import SATISFACTION_LABELS
from dispatch.rules.orders.overriding import RULE_LABELS
from dispatch.rules.orders.states import LABELS
from dispatch.rules.orders.urgency import URGENCY_LABELS
from dispatch.rules.reports.figures import LABELS as FIGURE_LABELS
from dispatch.rules.reports.reasons import PARTS, REASONS
from dispatch.services.reports.exporting import COUNT_WORDS, GROUP_WORDS, WORDS
from dispatch.web.language import CATALOGUE, SOURCES

DISPATCH = SOURCES.parents[1]
METHODS = [("**.py", "python"), ("web/templates/**.html", "jinja2")]
LABELLED = (
    asking,
    chain,
    devices,
    signals,
    events,
    festivals,
    terms,
    campaigns,
    cards,
    double_dip,
    eligibility,
    gifts,
    hand_outs,
    pledges,
    rounds,
    sales,
    shipments,
)
KEYWORDS = DEFAULT_KEYWORDS | {"N_": None, "lazy_gettext": None}
PLACE = re.compile(r"%\((\w+)\)s")


def shown() -> set[str]:
    """The message ids of the pages and of the sentences of a decision."""
    found = extract_from_dir(str(DISPATCH), METHODS, keywords=KEYWORDS)
    texts = {text if isinstance(text, str) else text[0] for _file, _line, text, _comments, _context in found}
    of_reports = {*FIGURE_LABELS.values(), *PARTS.values(), *REASONS.values(), *COUNT_WORDS.values(), *WORDS}
    of_orders = {*LABELS.values(), *URGENCY_LABELS.values(), *RULE_LABELS.values(), *SATISFACTION_LABELS.values()}
    return texts | of_orders | of_reports | {*GROUP_WORDS.values()} | of_programmes()


def of_programmes() -> set[str]:
    """The words of states and kinds of care and supermarket: every table of labels of their rules."""
    tables = [vars(module) for module in LABELLED]
    labels = [words for table in tables for name, words in table.items() if name.endswith(("_LABELS", "_HINTS"))]
    return {word for words in labels for word in words.values()}


@pytest.fixture(scope="module")
def english() -> Catalog:
    with Path(SOURCES / CATALOGUE / "messages.po").open("rb") as source:
        return read_po(source, locale="en")


CHINESE = re.compile(r"[\u4e00-\u9fff]")
OURS = {"DispatchError", "ValidationError", "lazy_gettext"}


def name_of(node: ast.expr) -> str:
    """The last part of what is called or derived from: errors.Invalid → Invalid."""
    return ast.unparse(node).rsplit(".", 1)[-1]


def errors_of(trees: list[ast.Module]) -> dict[str, str]:
    """Every class of error with the first line of its docstring, which is its message."""
    known = dict.fromkeys(OURS, "")
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    while True:
        more = {
            one.name: (ast.get_docstring(one) or "").split("\n", 1)[0]
            for one in classes
            if one.name not in known and any(name_of(base) in known for base in one.bases)
        }
        if not more:
            return known
        known |= more


def words_in(node: ast.AST) -> Iterator[str]:
    """The Chinese texts written in a part of the source."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and CHINESE.search(part.value):
            yield part.value


def said_by(tree: ast.Module, argument: ast.expr) -> Iterator[str]:
    """The texts of an error's argument: written there, in a constant of the module, or in a function of it."""
    yield from words_in(argument)
    names = {name_of(part) for part in ast.walk(argument) if isinstance(part, ast.Name)}
    for node in tree.body:
        if isinstance(node, ast.Assign) and names & {name_of(target) for target in node.targets}:
            yield from words_in(node.value)
        if isinstance(node, ast.FunctionDef) and node.name in names:
            for part in ast.walk(node):
                if isinstance(part, ast.Return) and part.value is not None:
                    yield from words_in(part.value)


def passed_on(tree: ast.Module, known: dict[str, str]) -> set[str]:
    """The functions of a module that raise an error with a text which they were given."""
    return {
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        and name_of(call.func) in known
        and {name_of(argument) for argument in call.args[-1:]} & {argument.arg for argument in function.args.args}
    }


def raised() -> dict[str, str]:
    """Every text of an error, with where it is said."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(DISPATCH.rglob("*.py"))}
    known = errors_of(list(trees.values()))
    found = {words: name for name, words in known.items() if CHINESE.search(words)}
    for path, tree in trees.items():
        speaking = known.keys() | passed_on(tree, known)
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and name_of(node.func) in speaking):
            for argument in call.args:
                found |= dict.fromkeys(said_by(tree, argument), f"{path.name}:{call.lineno}")
    return found


def told(catalogue: Catalog, text: str) -> list[str]:
    """The English of a text, one for each number."""
    message = catalogue.get(text)
    if message is None or message.fuzzy:
        return []
    return list(message.string) if isinstance(message.string, (list, tuple)) else [message.string]


def test_every_text_of_the_pages_has_its_english(english: Catalog) -> None:
    missing = sorted(text for text in shown() if not all(told(english, text) or [""]))
    assert missing == []


def test_every_text_of_an_error_has_its_english(english: Catalog) -> None:
    found = raised()
    written, constant, returned, handed, named = (
        "身份证号应为18位,现为%(length)s位,请核对后重新输入。",
        "请填写电话号码。",
        "无法读取图片，请使用 PNG 格式",
        "请选择服务商",
        "别人刚刚改过这张订单,请刷新后再操作",
    )
    assert found.keys() >= {written, constant, returned, handed, named}
    missing = {words: place for words, place in found.items() if not all(told(english, words) or [""])}
    assert missing == {}


def test_a_translation_keeps_the_places_for_facts(english: Catalog) -> None:
    wrong = [
        message.id
        for message in english
        if isinstance(message.id, str) and message.id
        for words in told(english, message.id)
        if not set(PLACE.findall(words)) <= set(PLACE.findall(message.id))
    ]
    assert wrong == []
