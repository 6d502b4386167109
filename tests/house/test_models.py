"""Tables know only what lies below them, and each error says itself."""

from inspect import cleandoc

import pytest
from sqlalchemy import Table

from dispatch import app
from dispatch.db import Base
from dispatch.errors import DispatchError

DOMAINS = ("access", "grid", "catalogue", "notify", "orders", "funds", "care", "market", "reports")
"""From below; a table's domain is the file of its model."""


def domain_of(module: str) -> int:
    """The floor of a model's domain; the queue and the clock lie under all."""
    name = module.removeprefix("dispatch.models.").partition(".")[0]
    return DOMAINS.index(name) if name in DOMAINS else -1


def floors() -> dict[Table, int]:
    """Each table with the floor of its domain."""
    return {
        table: domain_of(mapper.class_.__module__)
        for mapper in Base.registry.mappers
        if isinstance(table := mapper.local_table, Table)
    }


def test_every_table_has_a_model() -> None:
    assert set(floors()) == set(Base.metadata.tables.values())


def test_no_foreign_key_and_no_relationship_points_up() -> None:
    known = floors()
    keys = [
        f"{table.name} -> {key.column.table.name}"
        for table, floor in known.items()
        for key in table.foreign_keys
        if known[key.column.table] > floor
    ]
    relationships = [
        str(relationship)
        for mapper in Base.registry.mappers
        for relationship in mapper.relationships
        if domain_of(relationship.entity.class_.__module__) > domain_of(mapper.class_.__module__)
    ]
    assert (keys, relationships) == ([], [])


def errors(base: type[DispatchError] = DispatchError) -> list[type[DispatchError]]:
    """Every error of the house that is loaded with the application."""
    assert app.create_app
    return [base, *(error for child in base.__subclasses__() for error in errors(child))]


@pytest.mark.parametrize("error", sorted(set(errors()), key=str), ids=str)
def test_the_docstring_of_an_error_is_what_people_are_told(error: type[DispatchError]) -> None:
    told = cleandoc(error.__doc__ or "").split("\n", 1)[0]
    assert any("一" <= character <= "龥" for character in told), told
