"""Reads the YAML files of this folder into frozen values."""

from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

FOLDER = Path(__file__).parent
SERVICE_FILES = ("repair", "living", "civic", "counselling", "programme")
KNOWLEDGE_FILES = ("papers", "welfare", "living", "neighbours")


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that the desk asks about a kind. `values` are (key, shown text); empty for free text."""

    code: str
    text: str
    datatype: str
    required: bool
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ServiceKind:
    """One kind of order or of counselling: what may be asked for, who does it, and within which limits.

    The `*_minutes` run on `service_clock` (sign_minutes: on `sign_clock`), which is `working` or `always`;
    hold_minutes are always clock minutes; arrive_minutes is None where nobody is promised an arrival.
    `form` is `one_to_one` or `group` for counselling, else None. `papers` are the kinds of paper
    that whoever does it must hold. `speciality` is a line team's code or None:
    then the block team of the place leads. `escalation_levels` None: those of the policy `escalation.levels`.
    """

    code: str
    name: str
    group: str
    offered: tuple[str, ...]
    form: str | None
    synonyms: tuple[str, ...]
    questions: tuple[Question, ...]
    performer: str
    given: str
    speciality: str | None
    urgency: str
    civic_working_days: int
    service_clock: str
    service_minutes: int
    arrive_minutes: int | None
    sign_minutes: int
    sign_clock: str
    hold_minutes: int
    hours: tuple[str, ...]
    signed_for: bool
    callback: bool
    in_figures: bool
    confidential: bool
    proof: tuple[str, ...]
    papers: tuple[str, ...]
    price: str
    escalation_levels: tuple[dict[str, Any], ...] | None


@dataclass(frozen=True, slots=True)
class LineTeam:
    """A line team (条状服务团队) and its speciality's code."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A starting policy: `value` is a number, text, flag or list; `source` is `Q` or `practice`."""

    key: str
    value: Any
    unit: str
    source: str
    meaning: str


@dataclass(frozen=True, slots=True)
class KnowledgeItem:
    """An answer that the desk may give by itself: an example, to be checked and changed by who uses it.

    `kinds` are codes of service kinds, the first is what a call is counted under; `words` are what callers say.
    """

    code: str
    title: str
    kinds: tuple[str, ...]
    words: tuple[str, ...]
    body: str
    source: str
    valid_from: date


@dataclass(frozen=True, slots=True)
class CareGroup:
    """A group for whom 三访三问 holds: from where its members are known, which triggers begin switched on."""

    code: str
    name: str
    members: str
    triggers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Festival:
    """A festival with the elders: its day each year by the lunar or the solar calendar."""

    code: str
    name: str
    calendar: str
    month: int
    day: int


def read(name: str) -> Any:
    """The parsed content of one YAML file of this folder, `name` without its ending."""
    return yaml.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def service_kinds() -> tuple[ServiceKind, ...]:
    """Every kind: 32 of the hotline (12 of them at the station too), 13 of counselling, 12 of programmes."""
    profiles = read("profiles")
    kinds: list[ServiceKind] = []
    for name in SERVICE_FILES:
        part = read(f"services/{name}")
        for own in part["kinds"]:
            merged = {
                "form": None,
                "escalation_levels": None,
                "group": part["group"],
                **part.get("defaults", {}),
                **own,
            }
            kinds.append(_kind({**profiles[merged.pop("profile")], **merged}))
    return tuple(kinds)


def line_teams() -> tuple[LineTeam, ...]:
    """The 24 line teams."""
    return tuple(LineTeam(**row) for row in read("teams")["line_teams"])


def policies() -> tuple[Policy, ...]:
    """The starting policies, in the order of the file."""
    return tuple(Policy(**row) for row in read("policies")["policies"])


def care_groups() -> tuple[CareGroup, ...]:
    """The groups of 三访三问, in the order of the file."""
    return tuple(CareGroup(**{**row, "triggers": tuple(row["triggers"])}) for row in read("groups")["groups"])


def festivals() -> tuple[Festival, ...]:
    """The festivals, in the order of the file."""
    return tuple(Festival(**row) for row in read("festivals")["festivals"])


def knowledge_items() -> tuple[KnowledgeItem, ...]:
    """The examples of knowledge, in the order of the files; each says that it is an example, and what it is after."""
    items: list[KnowledgeItem] = []
    for name in KNOWLEDGE_FILES:
        part = read(f"knowledge/{name}")
        for row in part["items"]:
            lists = {field: tuple(row[field]) for field in ("kinds", "words")}
            items.append(KnowledgeItem(**{"source": part["source"], "valid_from": part["valid_from"], **row, **lists}))
    return tuple(items)


def _kind(row: dict[str, Any]) -> ServiceKind:
    unknown = set(row) - {field.name for field in fields(ServiceKind)}
    if unknown:
        raise ValueError(f"{row['code']}: unknown fields {sorted(unknown)}")
    lists = {name: tuple(row[name]) for name in ("offered", "synonyms", "hours", "proof", "papers")}
    questions = tuple(_question(question) for question in row["questions"])
    levels = tuple(row["escalation_levels"]) if row["escalation_levels"] else None
    return ServiceKind(**{**row, **lists, "questions": questions, "escalation_levels": levels})


def _question(row: dict[str, Any]) -> Question:
    values = tuple(row.get("values", {}).items())
    datatype = "list" if values else "text"
    return Question(row["code"], row["text"], datatype, row.get("required", False), values)
