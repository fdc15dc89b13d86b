"""deploy/stages.toml: where a stage is deployed to, and the template's parameters that it sets."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.errors import WRONG_USAGE, UserError
from cli.words import nearest

STAGES = Path(__file__).with_name("stages.toml")
COMMON = "common"
NEEDED = ("region", "stack", "bucket")
OPTIONAL = ("account", "role")
KEYS = (*NEEDED, *OPTIONAL, "parameters")


@dataclass(frozen=True)
class Stage:
    """`bucket` may hold {account} and {region}.

    `account` is the only one that is deployed to, `role` the one that CloudFormation works as; both may be empty.
    """

    name: str
    region: str
    stack: str
    bucket: str
    account: str
    role: str
    parameters: dict[str, str]

    def bucket_of(self, account: str) -> str:
        """The bucket that keeps the packages, in that account."""
        return self.bucket.replace("{account}", account).replace("{region}", self.region)


def read_stage(name: str, path: Path = STAGES) -> Stage:
    """Raises UserError, naming the key, for a stage that is not there or not whole."""
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
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,40}", table["stack"]):
        raise UserError(
            f"{path}: [{name}] stack: expected up to 41 lower-case letters, digits and -, got {table['stack']!r}",
            WRONG_USAGE,
        )
    parameters = _parameters(document.get(COMMON, {}), f"{path}: [{COMMON}]")
    parameters |= _parameters(table.get("parameters", {}), f"{path}: [{name}.parameters]")
    texts = {key: table.get(key, "") for key in (*NEEDED, *OPTIONAL)}
    return Stage(name=name, parameters=parameters, **texts)


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
