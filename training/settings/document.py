"""The tables of the settings, before any value in them is read, and the groups of features."""

from collections.abc import Mapping

from cli.settings.declared import settings_of
from cli.settings.origin import Origin
from cli.settings.toml import tables_of
from table.features import definitions_of
from training.settings.tables import DECLARED, RowMax

Document = dict[str, dict[str, object]]
TABLES = tuple(DECLARED)


def document_of(content: Mapping[str, object], origin: Origin) -> Document:
    """The tables of a document, all known, each feature as a table (`age = "number"` is short for one)."""
    document = tables_of(content, TABLES, origin)
    if "features" in document:
        document["features"] = dict(definitions_of(document["features"], origin))
    return document


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
