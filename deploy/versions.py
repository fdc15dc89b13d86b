"""The versions of the function and two aliases: `live` gets the requests, `previous` is what a rollback brings back."""

import base64
import re
from dataclasses import dataclass
from typing import Any

from storage.faults import told

LIVE, PREVIOUS = "live", "previous"
# As deploy/template.yaml describes a version.
_MODEL = re.compile(r"model ([0-9a-f]{12})\b")


@dataclass(frozen=True)
class Version:
    """`number` is Lambda's; `model` and `sha256` (the package's, hexadecimal) are empty where they are not known."""

    number: str
    model: str
    sha256: str

    def __str__(self) -> str:
        """The version's number and model, as messages quote them."""
        return f"version {self.number}, model {self.model or 'unknown'}"


class Function:
    """A Lambda function by its name."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    def versions(self) -> list[Version]:
        """Published versions, oldest first; empty where the function does not exist."""
        with told(f"listing the versions of {self.name}"):
            pages = self._client.get_paginator("list_versions_by_function").paginate(FunctionName=self.name)
            try:
                entries = [entry for page in pages for entry in page["Versions"]]
            except self._client.exceptions.ResourceNotFoundException:
                return []
        published = [_version(entry) for entry in entries if entry["Version"] != "$LATEST"]
        return sorted(published, key=lambda version: int(version.number))

    def behind(self, alias: str) -> str | None:
        """The number of the version that an alias points to, of two the one it comes from; None without the alias."""
        found = self._alias(alias)
        return None if found is None else str(found["FunctionVersion"])

    def shares(self, alias: str) -> dict[str, float]:
        """Shares of an alias's requests that other versions get while traffic moves, by version."""
        return dict((self._alias(alias) or {}).get("RoutingConfig", {}).get("AdditionalVersionWeights", {}))

    def _alias(self, name: str) -> dict[str, Any] | None:
        with told(f"reading the alias {name} of {self.name}"):
            try:
                return dict(self._client.get_alias(FunctionName=self.name, Name=name))
            except self._client.exceptions.ResourceNotFoundException:
                return None

    def point(self, alias: str, number: str) -> None:
        """Point an alias to a version, at once and for every request."""
        with told(f"pointing the alias {alias} of {self.name} to version {number}"):
            try:
                self._client.update_alias(
                    FunctionName=self.name,
                    Name=alias,
                    FunctionVersion=number,
                    RoutingConfig={"AdditionalVersionWeights": {}},
                )
            except self._client.exceptions.ResourceNotFoundException:
                self._client.create_alias(FunctionName=self.name, Name=alias, FunctionVersion=number)

    def forget(self, keep: int) -> list[str]:
        """Delete all but the newest `keep` versions and those behind an alias; their numbers.

        Every published version costs something for its snapshot, and its package stays in the bucket.
        """
        needed = {self.behind(LIVE), self.behind(PREVIOUS)}
        old = [version.number for version in self.versions()[:-keep] if version.number not in needed]
        for number in old:
            with told(f"deleting version {number} of {self.name}"):
                self._client.delete_function(FunctionName=self.name, Qualifier=number)
        return old


def _version(entry: dict[str, Any]) -> Version:
    model = _MODEL.search(entry.get("Description", ""))
    return Version(entry["Version"], model[1] if model else "", base64.b64decode(entry.get("CodeSha256", "")).hex())
