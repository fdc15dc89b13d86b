"""The tables of the settings, before any value in them is read, and the groups of features."""

from collections.abc import Mapping

from cli.settings.declared import read_values, settings_of
from cli.settings.origin import Origin
from cli.settings.toml import tables_of
from cli.words import shown
from table.features import definitions_of
from training.settings.reasons import ReasonText
from training.settings.tables import DECLARED, RowMax

Document = dict[str, dict[str, object]]
TABLES = tuple(DECLARED)
OF_REASONS = ("reasons", "reason_groups", "reason_texts")


def document_of(content: Mapping[str, object], origin: Origin) -> Document:
    """The tables of a document, all known, each feature as a table (`age = "number"` is short for one)."""
    document = tables_of(content, TABLES, origin)
    if "features" in document:
        document["features"] = dict(definitions_of(document["features"], origin))
    return document


def read_row_max(groups: Mapping[str, object], origin: Origin, table: str = "row_max") -> dict[str, tuple[str, ...]]:
    """The members of each group. Raises UserError, exit status 2, for the first mistake."""
    [members] = settings_of(RowMax).values()
    read = {group: members.named(group).read(value, table, origin) for group, value in groups.items()}
    for group, its in read.items():
        if not its:
            origin.refuse(
                f"{table}.{group}", "expected at least one feature, got none; name one or leave the group out"
            )
    return read


def read_reason_texts(entries: Mapping[str, object], origin: Origin) -> dict[str, ReasonText]:
    """The texts of each feature or group. Raises UserError, exit status 2, for the first mistake."""
    read = {}
    for name, entry in entries.items():
        if not isinstance(entry, Mapping):
            origin.refuse(f"reason_texts.{name}", f'expected a table, got {shown(entry)}; for example text = "..."')
        read[name] = ReasonText(**read_values(ReasonText, f"reason_texts.{name}", entry, origin))
    return read
