"""The features of a table of settings."""

from collections.abc import Mapping

from cli.settings.declared import read_values
from cli.settings.origin import Origin
from cli.words import shown
from table.settings import Feature


def definitions_of(table: Mapping[str, object], origin: Origin) -> dict[str, dict[str, object]]:
    """The entries of `[features]`, each as a table; `age = "number"` is short for one."""
    return {name: _definition(name, definition, origin) for name, definition in table.items()}


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
        feature
        for name, definition in definitions.items()
        if isinstance(definition, Mapping)
        for feature in Feature(name, **read_values(Feature, f"features.{name}", definition, origin)).indicated()
    )
