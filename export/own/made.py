"""Which scikit-learn and XGBoost made a file of a fitted pipeline, as far as it says so."""

import io
import json
import re
import zipfile
from collections.abc import Mapping
from importlib.metadata import version

from cli.errors import UserError
from training.artifacts.class_paths import DESCRIPTION, objects

SKLEARN, XGBOOST = "scikit-learn", "xgboost"
# In a pickle the first estimator has the version as a text, all others refer to it.
OF_SKLEARN = re.compile(rb"_sklearn_version\x94?\x8c.([0-9][0-9a-z.]{2,20})", re.DOTALL)
# In the state of a booster (UBJSON): three whole numbers of a byte each.
OF_XGBOOST = re.compile(rb"\x07version\[#L\x00{7}\x03i(.)i(.)i(.)", re.DOTALL)


def made_with(content: bytes) -> dict[str, str]:
    """The version of each library that a skops file or a pickle names; the highest where there are several."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = [archive.read(name) for name in archive.namelist()]
            nodes = list(objects(json.loads(archive.read(DESCRIPTION))))
        recorded = (node.get("_sklearn_version") for node in nodes)
        texts = {json.loads(node["content"]) for node in recorded if isinstance(node, dict) and node.get("is_json")}
        sklearns = sorted(map(str, texts), key=_ordered)
    else:
        parts = [content]
        sklearns = sorted({found.decode() for found in OF_SKLEARN.findall(content)}, key=_ordered)
    found = {tuple(map(ord, numbers)) for part in parts for numbers in OF_XGBOOST.findall(part)}
    made = {SKLEARN: sklearns[-1]} if sklearns else {}
    return made | ({XGBOOST: ".".join(map(str, max(found)))} if found else {})


def others(made: Mapping[str, str]) -> str:
    """The libraries whose version is another here, in words; "" if all versions agree."""
    here = {name: version(name) for name in made}
    differ = [f"{name} {number} (here {here[name]})" for name, number in made.items() if number != here[name]]
    return " and ".join(differ)


def with_versions(refusal: UserError, path: object, made: Mapping[str, str]) -> UserError:
    """The refusal of a pipeline that other versions made, which may be why; the same one where none did."""
    if not (named := others(made)):
        return refusal
    said = f"{refusal}; {path} was made with {named}: export with these versions, or fit again with those installed"
    return type(refusal)(said)


def _ordered(number: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", number)]
