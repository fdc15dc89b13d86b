"""Flags made of declared settings, and the texts that they take.

A flag has its setting's dotted key as destination and no default of its own: what is not on the command line comes
from the TOML, or is the default.
"""

import argparse
import json
from collections.abc import Callable
from typing import Any, get_origin

from cli.settings.declared import Setting, settings_of

Group = argparse._ArgumentGroup
METAVARS = {int: "N", float: "NUMBER"}


def add_flags(group: Group, declared: type, table: str, *names: str, default: str | None = None) -> None:
    """A flag for each setting of a table, or for those named; `default` replaces their own."""
    known = settings_of(declared)
    for setting in [known[name] for name in names] if names else known.values():
        told = default or default_of(setting)
        options: dict[str, Any] = {"dest": f"{table}.{setting.name}"}
        options["help"] = f"{setting.description}, default {told}" if told else setting.description
        if setting.kind is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif setting.choices:
            options["choices"] = setting.choices
        else:
            options["type"] = _parser(setting)
            options["metavar"] = setting.usage.metavar or METAVARS[setting.kind]
        group.add_argument(setting.flag, **options)


def default_of(setting: Setting) -> str:
    """The default as a flag takes it; the empty text where a setting need not have a value."""
    value = setting.default
    if value in (None, ()):
        return setting.usage.unset or ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ",".join(value) if isinstance(value[0], str) else _listed(value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if setting.choices else repr(value)


def _listed(values: tuple[float, ...]) -> str:
    return ",".join(f"{value:.10g}" for value in values)


def _parser(setting: Setting) -> Callable[[str], Any]:
    if setting.usage.parse is not None:
        return setting.usage.parse
    if get_origin(setting.kind) is not tuple:
        return setting.kind  # type: ignore[no-any-return]
    return names if str in setting.kind.__args__ else _numbers(setting)


def _numbers(setting: Setting) -> Callable[[str], tuple[float, ...]]:
    def numbers(text: str) -> tuple[float, ...]:
        try:
            return tuple(float(number) for number in text.split(","))
        except ValueError:
            example = f"{setting.usage.metavar} as in {_listed(setting.example)}"
            raise argparse.ArgumentTypeError(f"expected {example}, got {text}") from None

    return numbers


def names(text: str) -> tuple[str, ...]:
    """`a,b` or, where a name has a comma, `["a", "b, c"]`; the empty text is no name."""
    if text.lstrip().startswith("["):
        try:
            listed = json.loads(text)
        except (ValueError, RecursionError):
            listed = None
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            raise argparse.ArgumentTypeError(f'expected a JSON list of texts as in ["a", "b, c"], got {text}')
        return tuple(listed)
    return tuple(name.strip() for name in text.split(",")) if text else ()


def named_list(text: str) -> tuple[str, tuple[str, ...]]:
    """`NAME=a,b`, the list as `names` reads it."""
    name, equals, listed = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=A,B, got {text}")
    return name.strip(), names(listed)


class NamedLists(argparse.Action):
    """A repeatable flag of `named_list` as one dict; a name that is given twice has the values of both."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        """Add one name with its values."""
        name, its = values
        found = getattr(namespace, self.dest, None) or {}
        setattr(namespace, self.dest, {**found, name: found.get(name, ()) + its})


def named_value(text: str) -> tuple[str, object]:
    """`NAME=VALUE`, the value as JSON where it is JSON, else as text."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text}")
    try:
        return name.strip(), json.loads(value)
    except (ValueError, RecursionError):
        return name.strip(), value
