"""docs/files.md is what the types say, and the types are what the files hold."""

import json
import typing
from pathlib import Path
from typing import Any

import pytest

from delivery.files_page import PAGE, TOP, page
from scoring import run as score
from scoring import steps
from tests import applicants
from tests.model_folder import train_and_export
from tests.scoring.conftest import in_this_process
from validation import run as validation

pytestmark = pytest.mark.tier("land")


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m delivery.files_page"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """artifacts/, model/, scored/ and validated/ of a small run."""
    folder = tmp_path_factory.mktemp("written")
    frame, target = applicants.draw(600)
    frame.assign(default=target, uuid=[f"a{i}" for i in range(600)]).to_csv(folder / "table.csv", index=False)
    (folder / "settings.toml").write_text(applicants.SETTINGS)
    train_and_export(folder, "--n-estimators", "10", "--tune", "2")
    flags = ["--data", folder / "table.csv", "--model", folder / "model", "--out", folder / "scored", "--explain"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(steps, "Processes", in_this_process)
        assert score.main([*map(str, flags), "--quiet"]) == 0
    flags = ["--data", folder / "table.csv", "--model", folder / "model", "--history", folder / "history"]
    assert validation.main([*map(str, flags), "--out", str(folder / "validated"), "--quiet"]) == 0
    return folder


def unlike(value: Any, type_: Any, place: str) -> list[str]:
    """The places at which a value of JSON is not of a type."""
    origin, arguments = typing.get_origin(type_), typing.get_args(type_)
    if type_ is Any:
        return []
    if typing.is_typeddict(type_):
        if not isinstance(value, dict):
            return [place]
        hints = typing.get_type_hints(type_)
        strays = (value.keys() - hints.keys()) | (type_.__required_keys__ - value.keys())
        fields = (
            fault
            for name in value.keys() & hints.keys()
            for fault in unlike(value[name], hints[name], f"{place}.{name}")
        )
        return [*(f"{place}.{name}" for name in strays), *fields]
    if origin is list:
        inside = enumerate(value) if isinstance(value, list) else ()
        return [fault for i, entry in inside for fault in unlike(entry, arguments[0], f"{place}[{i}]")] or (
            [] if isinstance(value, list) else [place]
        )
    if origin is dict:
        if not isinstance(value, dict):
            return [place]
        return [fault for name, entry in value.items() for fault in unlike(entry, arguments[1], f"{place}.{name}")]
    if arguments:
        return [] if any(not unlike(value, argument, place) for argument in arguments) else [place]
    if type_ is float:
        return [] if type(value) in (int, float) else [place]
    return [] if type(value) is type_ else [place]


@pytest.mark.parametrize(("name", "kind"), [entry for entry in TOP if "/" in entry[0]])
def test_a_file_holds_the_fields_of_its_type(name: str, kind: type, written: Path) -> None:
    assert unlike(json.loads((written / name).read_text()), kind, name) == []


def test_a_field_that_no_type_names_is_found(written: Path) -> None:
    content = json.loads((written / "artifacts/run.json").read_text())
    content["split"]["train"]["rows"] = "many"
    del content["seed"]
    content["more"] = 1
    kind = dict(TOP)["artifacts/run.json"]
    assert sorted(unlike(content, kind, "run")) == ["run.more", "run.seed", "run.split.train.rows"]
