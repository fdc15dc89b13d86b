"""The tables of the settings, and the features in them, before any other value is read."""

from collections.abc import Mapping

from cli.settings.declared import read_values, settings_of
from cli.settings.origin import Origin
from cli.settings.toml import tables_of
from cli.words import shown
from table.settings import Feature
from training.settings.tables import DECLARED, RowMax

Document = dict[str, dict[str, object]]
TABLES = tuple(DECLARED)


def document_of(content: Mapping[str, object], origin: Origin) -> Document:
    """The tables of a document, all known, each feature as a table (`age = "number"` is short for one)."""
    document = tables_of(content, TABLES, origin)
    if "features" in document:
        document["features"] = {
            name: _definition(name, definition, origin) for name, definition in document["features"].items()
        }
    return document


def _definition(name: str, definition: object, origin: Origin) -> dict[str, object]:
    if not name:
        origin.refuse("features", 'expected the name of a column, got ""')
    if isinstance(definition, str):
        return {"type": definition}
    if isinstance(definition, Mapping) and "type" in definition:
        return dict(definition)
    return origin.refuse(
        f"features.{name}",
        f'expected a type or a table with one, got {shown(definition)}; for example {name} = "number"',
    )


def read_features(definitions: Mapping[str, object], origin: Origin) -> tuple[Feature, ...]:
    """The features of a document's table. Raises UserError, exit status 2, for the first mistake."""
    if not definitions:
        origin.refuse("features", 'expected at least one feature, got none; for example age = "number"')
    return tuple(
        Feature(name, **read_values(Feature, f"features.{name}", definition, origin))
        for name, definition in definitions.items()
        if isinstance(definition, Mapping)
    )


def read_row_max(groups: Mapping[str, object], origin: Origin) -> dict[str, tuple[str, ...]]:
    """The members of each group. Raises UserError, exit status 2, for the first mistake."""
    [members] = settings_of(RowMax).values()
    read = {group: members.named(group).read(value, "row_max", origin) for group, value in groups.items()}
    for group, its in read.items():
        if not its:
            origin.refuse(
                f"row_max.{group}", "expected at least one feature, got none; name one or leave the group out"
            )
    return read
