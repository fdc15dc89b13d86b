"""deploy/stages.toml: where a stage is deployed to, and the template's parameters that it sets."""

import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cli.errors import WRONG_USAGE, UserError
from cli.words import nearest

STAGES = Path(__file__).with_name("stages.toml")
COMMON = "common"
NEEDED = ("region", "stack", "bucket")
OPTIONAL = ("account", "role")
PROTECTED = "protected"
KEYS = (*NEEDED, *OPTIONAL, PROTECTED, "parameters")
# Stands for the account where it is not known yet, so that settings can be checked before AWS is asked.
NO_ACCOUNT = "0" * 12


@dataclass(frozen=True)
class Stage:
    """`bucket`, `role` and parameters may hold {account} and {region}: `in_account` fills them in.

    `account` is the only one that is deployed to, `role` the one that CloudFormation works as; both may be empty.
    `is_protected` is whether its stack refuses to be deleted.
    """

    name: str
    region: str
    stack: str
    bucket: str
    account: str
    role: str
    is_protected: bool
    parameters: dict[str, str]

    def in_account(self, account: str) -> "Stage":
        """The stage with the account and the region in the places for them."""

        def filled(text: str) -> str:
            return text.replace("{account}", account).replace("{region}", self.region)

        parameters = {name: filled(value) for name, value in self.parameters.items()}
        return replace(self, bucket=filled(self.bucket), role=filled(self.role), parameters=parameters)


def read_stage(name: str, path: Path = STAGES) -> Stage:
    """Raise UserError, naming the key, for a stage that is missing or incomplete."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", WRONG_USAGE) from None
    except ValueError as fault:  # not TOML, not UTF-8
        raise UserError(f"{path}: is not TOML ({fault})", WRONG_USAGE) from None
    stages = [key for key in document if key != COMMON]
    if name not in stages:
        near = nearest(name, stages)
        advice = f"did you mean {near}?" if near else f"there are {', '.join(stages) or 'none'}"
        raise UserError(f"{path}: no stage {name}; {advice}", WRONG_USAGE)
    table = _table(document[name], f"{path}: [{name}]")
    for key in table:
        if key not in KEYS:
            near = nearest(key, KEYS)
            advice = f"did you mean {near}?" if near else f"expected {', '.join(KEYS)}"
            raise UserError(f"{path}: [{name}] {key}: unknown; {advice}", WRONG_USAGE)
    for key in (*NEEDED, *OPTIONAL):
        value = table.get(key, "" if key in OPTIONAL else None)
        if not isinstance(value, str) or (key in NEEDED and not value):
            raise UserError(f"{path}: [{name}] {key}: expected a string, got {value!r}", WRONG_USAGE)
    is_protected = table.get(PROTECTED, False)
    if not isinstance(is_protected, bool):
        raise UserError(f"{path}: [{name}] {PROTECTED}: expected true or false, got {is_protected!r}", WRONG_USAGE)
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,40}", table["stack"]):
        raise UserError(
            f"{path}: [{name}] stack: expected up to 41 lower-case letters, digits and -, got {table['stack']!r}",
            WRONG_USAGE,
        )
    parameters = _parameters(document.get(COMMON, {}), f"{path}: [{COMMON}]")
    parameters |= _parameters(table.get("parameters", {}), f"{path}: [{name}.parameters]")
    texts = {key: table.get(key, "") for key in (*NEEDED, *OPTIONAL)}
    return Stage(name=name, is_protected=is_protected, parameters=parameters, **texts)


def _table(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UserError(f"{place}: expected a table, got {value!r}", WRONG_USAGE)
    return value


def _parameters(value: Any, place: str) -> dict[str, str]:
    """The values as CloudFormation takes them: text."""
    texts = {}
    for key, entry in _table(value, place).items():
        if isinstance(entry, bool):
            texts[key] = "true" if entry else "false"
        elif isinstance(entry, (str, int, float)):
            texts[key] = str(entry)
        else:
            raise UserError(f"{place} {key}: expected text, a number, true or false, got {entry!r}", WRONG_USAGE)
    return texts
