"""artifacts/: the results of a training run, and their reader.

The pipeline is saved with skops: a description that is checked against a list of types before any object is made from
it. Opening it runs no code of the file.
"""

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, cast

import pandas as pd
from sklearn.pipeline import Pipeline

from cli.errors import UserError
from runtime.digest import digest_of
from runtime.strict_json import NotStrict, parse_file
from storage.digest import sha256_of
from training.artifacts.boosters import try_boosters
from training.artifacts.class_paths import DESCRIPTION, LIBRARIES, TRUSTED, made_elsewhere, with_paths_of_today
from training.documents import Run, Schema
from training.reasons import read_drawn
from validation.documents import Initial, Reference

PIPELINE = "pipeline.skops"
SCHEMA = "schema.json"
RUN = "run.json"
SETTINGS = "settings.toml"
METRICS = "metrics.json"
SAMPLE = "sample.parquet"
REFERENCE = "reference.json"
INITIAL = "initial.json"
SCHEMA_VERSION = 2  # of run.json; raise it when an older reader could misread a newer file
LARGEST_FILE = 256 * 2**20  # bytes of run.json, schema.json and reference.json
LARGEST_EXPANDED = 64 * 2**20  # bytes of a compressed member of a pipeline that others have saved
TRAIN_AGAIN = "train again (python -m training.run)"


@dataclass(frozen=True)
class Artifacts:
    """The parts of artifacts/ that the export reads."""

    folder: Path
    pipeline: Pipeline
    pipeline_sha256: str
    schema: Schema  # raw columns in order, with types, vocabularies and observed ranges
    reference: Reference  # histograms of the training rows, see validation.stability
    run: Run  # settings, versions, metrics, band edges, hashes
    sample: pd.DataFrame  # raw columns of real applicants, without ids
    drawn: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # reference rows of reasons, by file
    initial: Initial | None = None  # the initial validation; None of a run of before there was one


def save_pipeline(pipeline: Pipeline, path: Path) -> str:
    """Write the fitted pipeline, equal ones as equal bytes, and return the file's sha256."""
    from training.artifacts import skops_io

    path.write_bytes(plain_dump(skops_io.dumps(pipeline)))
    return sha256_of(path)


def plain_dump(dump: bytes) -> bytes:
    """Dump of skops without memory addresses, random names and times."""
    with zipfile.ZipFile(io.BytesIO(dump)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = members.pop(DESCRIPTION).decode()
    numbers: dict[str, int] = {}
    schema = re.sub(r'(?<="__id__": )\d+', lambda id_: str(numbers.setdefault(id_[0], len(numbers) + 1)), schema)
    renamed = {name: f"{number}{PurePath(name).suffix}" for number, name in enumerate(members, 1)}
    for name, new in renamed.items():
        schema = schema.replace(f'"{name}"', f'"{new}"')
    members = {renamed[name]: content for name, content in members.items()} | {DESCRIPTION: schema.encode()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


def load_pipeline(path: Path | str) -> Pipeline:
    """The fitted pipeline of a skops file (or of the artifacts folder that holds one).

    The exported graph has to answer as its `predict_proba` does on a DataFrame of the raw columns. Raises UserError for
    a file that is missing or damaged, or that holds a type which no pipeline of ours consists of.
    """
    from training.artifacts import skops_io

    path = Path(path)
    if path.is_dir():
        path = path / PIPELINE
    if not path.exists():
        raise UserError(f"{path}: no such file; {TRAIN_AGAIN}")
    made, dump = None, _read(path)
    try:
        _refuse_expanding(path)
        made, dump = made_elsewhere(dump), with_paths_of_today(dump)
        if unknown := set(skops_io.get_untrusted_types(data=dump)) - TRUSTED:
            raise UserError(f"{path}: {_what_is_wrong_with(unknown, made)}")
        try_boosters(dump)
        pipeline = skops_io.loads(dump, trusted=sorted(TRUSTED))
    except (UserError, KeyboardInterrupt):
        raise
    except Exception as fault:
        reason = " ".join(str(fault).split())[:200] or type(fault).__name__
        why = f"{reason}; it was {made}" if made else reason
        raise UserError(f"{path}: is not a pipeline that can be read ({why}); {TRAIN_AGAIN}") from fault
    if not isinstance(pipeline, Pipeline):
        raise UserError(f"{path}: expected a pipeline, got {type(pipeline).__name__}; {TRAIN_AGAIN}")
    return pipeline


def _refuse_expanding(path: Path) -> None:
    """Raise UserError for a file whose compressed members would fill the memory; this project compresses none."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.file_size > max(LARGEST_EXPANDED, member.compress_size):
                raise UserError(
                    f"{path}: {member.filename}: expands to {member.file_size:,} bytes, at most "
                    f"{LARGEST_EXPANDED:,} are read; do not trust this file"
                )


def _what_is_wrong_with(unknown: set[str], made: str | None) -> str:
    """Types of the libraries' own, in a file of another version of theirs, are no reason for distrust."""
    named = ", ".join(sorted(unknown))
    if made and all(name.startswith(LIBRARIES) for name in unknown):
        return (
            f"{made}: {named} is unknown to the scikit-learn that is installed; install that version, or {TRAIN_AGAIN}"
        )
    return f"holds types that no pipeline of this project has: {named}; do not trust this file"


def load_artifacts(folder: Path) -> Artifacts:
    """Everything that the export needs. Raises UserError, naming the file, where a part is missing or altered."""
    if not folder.is_dir():
        raise UserError(
            f"{folder}: no such folder; train a model first (python -m training.run), or name its artifacts"
        )
    run = run_of(_read(folder / RUN), folder / RUN)
    for name, expected in run["files"].items():
        path = folder / name
        if not path.exists():
            raise UserError(f"{path}: no such file; {TRAIN_AGAIN}")
        if (came := sha256_of(path)) != expected:
            raise UserError(f"{path}: sha256: expected {expected}, got {came}; the file was changed: {TRAIN_AGAIN}")
    return Artifacts(
        folder=folder,
        pipeline=load_pipeline(folder / PIPELINE),
        pipeline_sha256=run["files"][PIPELINE],
        schema=cast(Schema, _json(_read(folder / SCHEMA), folder / SCHEMA)),
        reference=cast(Reference, _json(_read(folder / REFERENCE), folder / REFERENCE)),
        run=run,
        sample=pd.read_parquet(folder / SAMPLE),
        drawn=read_drawn(folder, run["files"]),
        initial=cast(Initial, _json(_read(folder / INITIAL), folder / INITIAL)) if INITIAL in run["files"] else None,
    )


def run_of(content: bytes, name: object) -> Run:
    """Parse the bytes of a run.json, which the user calls `name`. Raises UserError if they are not one."""
    run = _json(content, name)
    if type(run.get("schema_version")) is not int or run["schema_version"] != SCHEMA_VERSION:
        raise UserError(f"{name}: is not the record of a run of this version; {TRAIN_AGAIN}")
    if (found := digest_of(run, besides="digest")) != run.get("digest"):
        came = str(run.get("digest"))[:64]
        raise UserError(f"{name}: digest: expected {found}, got {came}; the record was changed: {TRAIN_AGAIN}")
    if not isinstance(run.get("files"), dict) or PIPELINE not in run["files"]:
        raise UserError(f"{name}: files: expected {PIPELINE} among them; {TRAIN_AGAIN}")
    return cast(Run, run)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; {TRAIN_AGAIN}") from None


def _json(text: bytes, name: object) -> dict[str, Any]:
    try:
        content = parse_file(text, LARGEST_FILE)
    except NotStrict as fault:
        raise UserError(f"{name}: is not JSON ({fault}); {TRAIN_AGAIN}") from None
    if not isinstance(content, dict):
        raise UserError(f"{name}: expected a JSON object; {TRAIN_AGAIN}")
    return content
