"""Laying the flags of the command line over the tables of a TOML file.

The flags come as one mapping:

| key | value | what it does |
|---|---|---|
| `split.seed`, any `table.key` | the value | replaces that value |
| `numbers`, `booleans`, `categories` | names | declare features, or change their type |
| `log1p` | names | exactly these features are taken as ln(1 + value) |
| `vocabulary` | {feature: levels} | replaces its vocabulary; no level: learnt |
| `row_max` | {group: members} | adds or replaces groups; no member: removes it |
| `features` | names | keeps these, in this order, and narrows groups and constraints to them |
"""

from collections.abc import Iterable, Mapping, Set
from typing import Any, cast

from cli.settings.origin import Origin
from cli.words import did_you_mean
from training.settings.document import TABLES, Document

DECLARING = {"numbers": "number", "booleans": "boolean", "categories": "category"}


def flagged_keys(flags: Mapping[str, Any]) -> frozenset[str]:
    """The dotted keys that the flags set, to tell them from the file's in messages."""
    keys = {key for key in flags if "." in key or key == "features"}
    keys |= {f"features.{name}" for flag in DECLARING for name in flags.get(flag, ())}
    keys |= {f"features.{name}.log1p" for name in flags.get("log1p", ())}
    keys |= {f"features.{name}.vocabulary" for name in flags.get("vocabulary", {})}
    keys |= {f"row_max.{group}" for group in flags.get("row_max", {})}
    return frozenset(keys)


def lay_flags_over(document: Document, flags: Mapping[str, Any], reference: Document, origin: Origin) -> Document:
    """The document with every table, the reference's features where it names none, and the flags' values.

    Raises UserError where a flag names a feature that there is not.
    """
    declared = any(flag in flags for flag in DECLARING)
    defaults = {} if "features" in document or declared else reference
    laid: Document = {name: dict(document.get(name, defaults.get(name, {}))) for name in TABLES}
    for key, value in flags.items():
        table, _, name = key.partition(".")
        if name:
            laid[table][name] = value
    features = _with_definitions(cast(dict[str, dict[str, object]], laid["features"]), flags, origin)
    laid["features"] = dict(features)
    laid["row_max"] |= flags.get("row_max", {})
    laid["row_max"] = {
        group: members for group, members in laid["row_max"].items() if members or group not in flags.get("row_max", {})
    }
    return _narrowed(laid, flags["features"], origin) if "features" in flags else laid


def _with_definitions(
    features: dict[str, dict[str, object]], flags: Mapping[str, Any], origin: Origin
) -> dict[str, dict[str, object]]:
    features = dict(features)
    for flag, type_ in DECLARING.items():
        for name in flags.get(flag, ()):
            features[name] = features.get(name, {}) | {"type": type_}
    if "log1p" in flags:
        _refuse_unknown(flags["log1p"], features, "log1p", origin)
        features = {name: definition | {"log1p": name in flags["log1p"]} for name, definition in features.items()}
    _refuse_unknown(flags.get("vocabulary", {}), features, "vocabulary", origin)
    for name, levels in flags.get("vocabulary", {}).items():
        features[name] = features[name] | {"vocabulary": levels}
    return features


def _narrowed(document: Document, kept: Iterable[str], origin: Origin) -> Document:
    """The document with some of its features; groups and constraints lose what they say of the others."""
    features = document["features"]
    _refuse_unknown(kept, features, "features", origin)
    narrowed = document | {"features": {name: features[name] for name in kept}}
    dropped = features.keys() - narrowed["features"].keys()
    row_max: dict[str, object] = {}
    for group, members in document["row_max"].items():
        if not isinstance(members, list | tuple):
            row_max[group] = members  # refused where it is read
        elif remaining := [member for member in members if member not in dropped]:
            row_max[group] = remaining
    dropped |= document["row_max"].keys() - row_max.keys()
    narrowed["row_max"] = row_max
    gone = dropped | (document["row_max"].keys() - row_max.keys())
    narrowed["reason_groups"], narrowed["reason_texts"] = _reasons_without(document, gone)
    constraints = document["xgboost"].get("monotone_constraints")
    if isinstance(constraints, Mapping):
        remaining_constraints = {name: sign for name, sign in constraints.items() if name not in dropped}
        narrowed["xgboost"] = document["xgboost"] | {"monotone_constraints": remaining_constraints}
    return narrowed


def _reasons_without(document: Document, gone: Set[str]) -> tuple[dict[str, object], dict[str, object]]:
    """The groups and texts of reasons that concern other features than those that are gone."""
    groups: dict[str, object] = {}
    for group, members in document["reason_groups"].items():
        if not isinstance(members, list | tuple):
            groups[group] = members  # refused where it is read
        elif remaining := [member for member in members if member not in gone]:
            groups[group] = remaining
    gone = gone | (document["reason_groups"].keys() - groups.keys())
    return groups, {name: entry for name, entry in document["reason_texts"].items() if name not in gone}


def _refuse_unknown(names: Iterable[str], features: Mapping[str, object], flag: str, origin: Origin) -> None:
    for name in names:
        if name not in features:
            origin.refuse(flag, f"no feature {name} is configured; {did_you_mean(name, features.keys())}")
