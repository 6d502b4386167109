"""The documents say what the code does: links lead somewhere, commands and targets exist, settings are those read."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from config.settings import Settings, read_settings
from dispatch.cli import COMMANDS
from tests.conftest import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
OPERATE = (ROOT / "docs" / "howto" / "operate.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")
SETTING_ROW = re.compile(r"^\| `(DISPATCH_\w+)` \| (?:`([^`]*)`|\w+) \|", re.MULTILINE)
TARGET_ROW = re.compile(r"^([a-z-]+):", re.MULTILINE)
TITLE_OF_A_DECISION = re.compile(r"^# (\d{4}) · ")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(document: Path) -> None:
    links = [link for link in LINK.findall(document.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_and_target_that_is_named_exists(document: Path) -> None:
    words = document.read_text(encoding="utf-8")
    assert set(re.findall(r"`(?:\.venv/bin/)?dispatch ([a-z]+)", words)) <= set(COMMANDS)
    assert set(re.findall(r"`make ([a-z-]+)", words)) <= set(TARGET_ROW.findall(MAKEFILE))


def test_the_table_of_settings_names_each_setting_once_with_its_default() -> None:
    rows = dict(SETTING_ROW.findall(OPERATE))
    assert list(rows) == [f"DISPATCH_{field.name.upper()}" for field in fields(Settings)]
    read = read_settings({})
    for name, default in rows.items():
        value = getattr(read, name.removeprefix("DISPATCH_").lower())
        shown = value.name if isinstance(value, Path) else str(int(value) if isinstance(value, bool) else value)
        assert default in {shown, ""} or default.startswith("HOME/"), name


def test_decisions_are_numbered_without_a_gap_and_say_their_number() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [f"{number:04}" for number in range(1, len(files) + 1)]
    assert [file.name[:4] for file in files] == numbers
    titles = [TITLE_OF_A_DECISION.match(file.read_text(encoding="utf-8")) for file in files]
    assert [title[1] for title in titles if title] == numbers
