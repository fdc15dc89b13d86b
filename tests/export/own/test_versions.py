"""A pipeline that other versions made is said to be, compared here, and refused where it does not hold."""

import json
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import pytest
import skops.io
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from export import to_onnx
from export.own.made import made_with
from tests.export.own.pipelines import NUMBERS, booster, rows_of

X, Y = rows_of(300)
HERE = {"scikit-learn": version("scikit-learn"), "xgboost": version("xgboost")}
OTHER = {"scikit-learn": "1.0.1", "xgboost": "2.0.3"}


def of_booster(number: str) -> bytes:
    """The version as a booster's state has it."""
    parts = (b"i" + bytes([int(part)]) for part in number.split("."))
    return b"\x07version[#L" + bytes(7) + b"\x03" + b"".join(parts)


def elsewhere(content: bytes) -> bytes:
    """The same file with other versions in it, as long."""
    for name in HERE:
        content = content.replace(HERE[name].encode(), OTHER[name].encode())
    return content.replace(of_booster(HERE["xgboost"]), of_booster(OTHER["xgboost"]))


def saved(path: Path, fitted: Any, *, there: bool = False) -> Path:
    if path.suffix == ".joblib":
        joblib.dump(fitted, path)
        path.write_bytes(elsewhere(path.read_bytes()) if there else path.read_bytes())
        return path
    skops.io.dump(fitted, path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, elsewhere(content) if there else content)
    return path


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    X[NUMBERS].to_parquet(tmp_path / "rows.parquet")
    return tmp_path / "rows.parquet"


def exports(pipeline: Path, rows: Path) -> int:
    config = rows.with_name("model.toml")
    config.write_text('[reasons]\nreference = "none"\n')
    given = ["--pipeline", str(pipeline), "--data", str(rows), "--out", str(rows.with_name("model")), "--trust-pickle"]
    return to_onnx.main([*given, "--config", str(config)])


@pytest.mark.parametrize("kind", ["skops", "joblib"])
def test_a_file_says_what_made_it(kind: str, tmp_path: Path) -> None:
    fitted = make_pipeline(SimpleImputer(), booster(n_estimators=2)).fit(X[NUMBERS], Y)
    assert made_with(saved(tmp_path / f"here.{kind}", fitted).read_bytes()) == HERE
    assert made_with(saved(tmp_path / f"there.{kind}", fitted, there=True).read_bytes()) == OTHER
    assert made_with(b"no file of either kind") == {}


@pytest.mark.tier("land")
@pytest.mark.parametrize("kind", ["skops", "joblib"])
def test_other_versions_are_said_and_are_in_the_manifest(
    kind: str, tmp_path: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fitted = make_pipeline(SimpleImputer(), booster(n_estimators=2)).fit(X[NUMBERS], Y)
    assert exports(saved(tmp_path / f"fitted.{kind}", fitted, there=True), rows) == 0
    said = " ".join("".join(capsys.readouterr()).split())
    for name in HERE:
        assert f"{name} {OTHER[name]} (here {HERE[name]})" in said
    versions = json.loads((tmp_path / "model" / "manifest.json").read_text())["versions"]
    assert {name: versions[f"{name} of the fit"] for name in OTHER} == OTHER


def test_a_pipeline_of_another_version_that_raises_here_is_refused_with_its_version(
    tmp_path: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As SimpleImputer of scikit-learn 1.7 in 1.9, which misses an attribute."""
    fitted = make_pipeline(SimpleImputer(), booster(n_estimators=2)).fit(X[NUMBERS], Y)
    del fitted[0].statistics_
    assert exports(saved(tmp_path / "fitted.joblib", fitted, there=True), rows) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "fitted.joblib was made with scikit-learn 1.0.1" in said
    assert "export with these versions, or fit again with those installed" in said
    assert "Traceback" not in said
