"""deploy/template.yaml: its text, and whether values fit its parameters before CloudFormation is asked."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cli.errors import WRONG_USAGE, UserError
from cli.words import nearest

TEMPLATE = Path(__file__).with_name("template.yaml")
# For a text that is sent along:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
BODY_LIMIT = 51_200
# Stands in the API's definition for a digest of the settings that decide on it. SAM makes a new deployment of an API
# only where the text of its definition changes, and a parameter's value is not part of that text:
# make_auto_deployable, https://github.com/aws/serverless-application-model/blob/develop/samtranslator/model/apigateway.py
API, API_SETTINGS = "Api", "version: ApiSettings"


@dataclass(frozen=True)
class Template:
    """`document` has the short forms spelled out: `!Ref x` is {"Ref": "x"}."""

    path: Path
    body: str
    document: dict[str, Any]

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """Parameters that can be set, by name."""
        return dict(self.document.get("Parameters", {}))

    def body_for(self, values: Mapping[str, str]) -> str:
        """The text that CloudFormation gets for these parameters: with another API, another deployment of it."""
        names = sorted(set(self._parameters_of(self.document["Resources"].get(API))))
        content = json.dumps([(name, values.get(name)) for name in names])
        return self.body.replace(API_SETTINGS, f'version: "{hashlib.sha256(content.encode()).hexdigest()[:12]}"')

    def _parameters_of(self, value: Any) -> Iterator[str]:
        """The parameters that a part of the template refers to, by itself or by a condition."""
        if isinstance(value, list):
            for entry in value:
                yield from self._parameters_of(entry)
        elif isinstance(value, dict):
            for key, entry in value.items():
                condition = entry[0] if key == "Fn::If" else entry if key == "Condition" else None
                if isinstance(condition, str):
                    yield from self._parameters_of(self.document["Conditions"].get(condition))
                names = [entry] if key == "Ref" else re.findall(r"\$\{(\w+)\}", str(entry)) if key == "Fn::Sub" else []
                yield from (name for name in names if name in self.parameters)
                yield from self._parameters_of(entry)

    def complete(self, values: Mapping[str, str]) -> dict[str, str]:
        """The values with the template's defaults, all as text.

        Raises UserError with everything that is missing, unknown or does not fit.
        """
        faults = []
        for name in values.keys() - self.parameters.keys():
            near = nearest(name, self.parameters)
            faults.append(f"{name}: the template has no such parameter" + (f"; did you mean {near}?" if near else ""))
        complete = {}
        for name, rule in self.parameters.items():
            value = values.get(name, _text(rule["Default"]) if "Default" in rule else None)
            if value is None:
                faults.append(f"{name}: missing")
            elif fault := _fault(value, rule):
                faults.append(f"{name}: expected {fault}, got {value!r}")
            else:
                complete[name] = value
        if faults:
            raise UserError(f"{self.path}: {'; '.join(sorted(faults))}; see deploy/stages.toml", WRONG_USAGE)
        return complete


def read_template(path: Path = TEMPLATE) -> Template:
    """Raise UserError for a file that CloudFormation would not take."""
    try:
        body = path.read_text(encoding="utf-8")
        document = yaml.load(body, Loader=_Loader)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", WRONG_USAGE) from None
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise UserError(f"{path}: is not YAML ({fault})", WRONG_USAGE) from None
    if not isinstance(document, dict) or "Resources" not in document:
        raise UserError(f"{path}: expected a template with Resources", WRONG_USAGE)
    if len(body.encode()) > BODY_LIMIT:
        raise UserError(f"{path}: expected at most {BODY_LIMIT} bytes, got {len(body.encode())}", WRONG_USAGE)
    return Template(path, body, document)


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML with CloudFormation's short forms."""


def _short_form(loader: _Loader, name: str, node: Any) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if name == "GetAtt" and isinstance(value, str):
        value = value.rsplit(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _short_form)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fault(value: str, rule: Mapping[str, Any]) -> str:
    """Expected value in words; empty if the value fits."""
    if rule.get("Type") == "Number":
        try:
            number = float(value)
        except ValueError:
            return "a number"
        if not rule.get("MinValue", number) <= number <= rule.get("MaxValue", number):
            low, high = rule.get("MinValue", "any"), rule.get("MaxValue", "any")
            return f"a number from {low} to {high}"
    allowed = [_text(entry) for entry in rule.get("AllowedValues", ())]
    if allowed and value not in allowed:
        return f"one of {', '.join(allowed)}"
    pattern = rule.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(pattern, value):
        return f"text like {pattern}"
    return ""
