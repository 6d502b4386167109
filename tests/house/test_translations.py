"""Every text that a page may show has its English, with the same places for facts."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from dispatch.rules.orders.callback import SATISFACTION_LABELS
from dispatch.rules.orders.states import LABELS
from dispatch.rules.orders.urgency import URGENCY_LABELS
from dispatch.web.language import CATALOGUE, SOURCES

DISPATCH = SOURCES.parents[1]
METHODS = [("**.py", "python"), ("web/templates/**.html", "jinja2")]
KEYWORDS = DEFAULT_KEYWORDS | {"N_": None, "lazy_gettext": None}
PLACE = re.compile(r"%\((\w+)\)s")


def shown() -> set[str]:
    """The message ids of the pages and of the sentences of a decision."""
    found = extract_from_dir(str(DISPATCH), METHODS, keywords=KEYWORDS)
    texts = {text if isinstance(text, str) else text[0] for _file, _line, text, _comments, _context in found}
    return texts | {*LABELS.values(), *URGENCY_LABELS.values(), *SATISFACTION_LABELS.values()}


@pytest.fixture(scope="module")
def english() -> Catalog:
    with Path(SOURCES / CATALOGUE / "messages.po").open("rb") as source:
        return read_po(source, locale="en")


def told(catalogue: Catalog, text: str) -> list[str]:
    """The English of a text, one for each number."""
    message = catalogue.get(text)
    if message is None or message.fuzzy:
        return []
    return list(message.string) if isinstance(message.string, (list, tuple)) else [message.string]


def test_every_text_of_the_pages_has_its_english(english: Catalog) -> None:
    missing = sorted(text for text in shown() if not all(told(english, text) or [""]))
    assert missing == []


def test_a_translation_keeps_the_places_for_facts(english: Catalog) -> None:
    wrong = [
        message.id
        for message in english
        if isinstance(message.id, str) and message.id
        for words in told(english, message.id)
        if not set(PLACE.findall(words)) <= set(PLACE.findall(message.id))
    ]
    assert wrong == []
