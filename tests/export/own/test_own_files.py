"""The commands on a saved pipeline: nothing runs that is not trusted, and the model is verified and packaged."""

import bz2
import gzip
import json
import lzma
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from export import to_onnx, verify
from export.own.model import digest_of_pipeline
from tests.export.own.pipelines import NUMBERS, booster, rows_of, usual

pytestmark = pytest.mark.tier("land")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved pipeline in both kinds of file, and its rows with an outcome and an id."""
    made = tmp_path_factory.mktemp("own")
    X, y = rows_of(400)
    fitted = make_pipeline(usual(sparse=True), booster()).fit(X, y)
    skops.io.dump(fitted, made / "fitted.skops")
    joblib.dump(fitted, made / "fitted.joblib")
    X.assign(bad=y, id=range(len(X))).to_parquet(made / "rows.parquet")
    (made / "model.toml").write_text('[score]\npoints = 500\n[descriptions]\nage = "years"\n')
    return made


def arguments(folder: Path, *more: str, pipeline: str = "fitted.skops") -> list[str]:
    given = ["--pipeline", str(folder / pipeline), "--data", str(folder / "rows.parquet"), "--target", "bad"]
    return [*given, "--config", str(folder / "model.toml"), "--quiet", *more]


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


def test_a_skops_file_is_exported_and_verified(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model"
    assert to_onnx.main(arguments(folder, "--out", str(out))) == 0, said(capsys)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["score"]["points"] == 500
    assert {feature["name"] for feature in manifest["features"]}.isdisjoint({"bad", "id"})
    initial = json.loads((out / "initial.json").read_text())
    assert (initial["of"], initial["rows"]) == ("given", manifest["reference"]["metrics"]["rows"])
    assert 0.5 < initial["auc"] < 1
    assert verify.main(arguments(folder, "--model", str(out))) == 0, said(capsys)


def test_a_pipeline_in_memory_has_the_digest_of_its_files(tmp_path: Path) -> None:
    fitted = make_pipeline(usual(sparse=True), booster()).fit(*rows_of(400))
    file = tmp_path / "fitted.skops"
    skops.io.dump(fitted, file)
    joblib.dump(fitted, tmp_path / "fitted.joblib")
    read = skops.io.load(file, trusted=skops.io.get_untrusted_types(file=file))
    digests = {digest_of_pipeline(one) for one in (fitted, read, joblib.load(tmp_path / "fitted.joblib"))}
    assert len(digests) == 1
    assert digest_of_pipeline(make_pipeline(usual(sparse=True), booster(max_depth=2)).fit(*rows_of(400))) not in digests


def test_a_model_of_another_pipeline_is_not_verified(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model"
    assert to_onnx.main(arguments(folder, "--out", str(out))) == 0
    X, y = rows_of(400)
    skops.io.dump(make_pipeline(usual(), booster(max_depth=2)).fit(X, y), folder / "other.skops")
    assert verify.main(arguments(folder, "--model", str(out), pipeline="other.skops")) == 1
    assert "other.skops: sha256: the certificate has" in said(capsys)


def test_a_pickle_needs_the_flag_and_gives_the_same_model(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model"
    given = arguments(folder, "--out", str(out), pipeline="fitted.joblib")
    assert to_onnx.main(given) == 1
    assert "fitted.joblib: a pickle runs the code that it holds" in said(capsys)
    assert not out.exists()
    assert to_onnx.main([*given, "--trust-pickle"]) == 0, said(capsys)
    assert to_onnx.main(arguments(folder, "--out", str(tmp_path / "other"))) == 0
    assert (out / "model.onnx").read_bytes() == (tmp_path / "other" / "model.onnx").read_bytes()


def ran(x: Any) -> Any:
    """A function that no file may bring in."""
    raise AssertionError("the file's function ran")


def test_a_function_in_a_skops_file_is_refused_unread(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    X, y = rows_of(400)
    steps = make_pipeline(FunctionTransformer(np.abs), booster()).fit(X[NUMBERS], y)
    steps[0].func = ran
    skops.io.dump(steps, tmp_path / "strange.skops")
    given = ["--pipeline", str(tmp_path / "strange.skops"), "--data", str(folder / "rows.parquet"), "--quiet"]
    assert to_onnx.main([*given, "--out", str(tmp_path / "model")]) == 1
    assert "strange.skops: holds " in (line := said(capsys))
    assert "which scikit-learn and XGBoost do not define" in line


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--data", "rows.csv"], "--data goes with --pipeline"),
        (["--pipeline", "fitted.skops"], "--pipeline needs --data"),
    ],
)
def test_flags_that_lack_each_other_are_wrong_usage(
    flags: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (to_onnx, verify):
        with pytest.raises(SystemExit) as ended:
            command.main(flags)
        assert ended.value.code == 2
        assert line in said(capsys)


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("nothing.skops", None, "nothing.skops: no such file"),
        ("damaged.skops", b"PK\x03\x04 and no more", "damaged.skops: is not a pipeline that can be read"),
        ("text.txt", b"a pipeline", "text.txt: expected a .skops, .joblib or .pkl file, got .txt"),
    ],
)
def test_what_is_no_pipeline_is_refused(
    name: str, content: bytes | None, line: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    given = ["--pipeline", str(tmp_path / name), "--data", str(folder / "rows.parquet"), "--quiet"]
    assert to_onnx.main([*given, "--out", str(tmp_path / "model")]) == 1
    assert line in said(capsys)


def test_a_compressed_pipeline_with_a_damaged_member_is_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fitted = skops.io.load(folder / "fitted.skops", trusted=skops.io.get_untrusted_types(file=folder / "fitted.skops"))
    content = skops.io.dumps(fitted, compression=zipfile.ZIP_DEFLATED)
    place = content.index(b"schema.json") + 100
    (tmp_path / "fitted.skops").write_bytes(content[:place] + bytes(100) + content[place + 100 :])
    given = ["--pipeline", str(tmp_path / "fitted.skops"), "--data", str(folder / "rows.parquet"), "--quiet"]
    assert to_onnx.main([*given, "--out", str(tmp_path / "model")]) == 1
    # zlib reads the damaged bytes or stumbles over them: dumps have memory addresses, so no two processes' are alike.
    wrong = r"(Error -3 while decompressing data: .*|Bad CRC-32 for file 'schema.json')"
    assert re.search(rf"fitted\.skops: is not a pipeline that can be read \({wrong}\)", said(capsys))


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("rows.csv.gz", lambda text: gzip.compress(text)[:-100]),
        ("rows.csv.gz", lambda text: (packed := gzip.compress(text))[:100] + bytes(100) + packed[200:]),
        ("rows.csv.bz2", lambda text: bz2.compress(text)[:-100]),
        ("rows.csv.xz", lambda text: lzma.compress(text)[1:]),
        ("rows.csv.zip", lambda text: b"PK\x03\x04 and no more"),
        ("rows.parquet", lambda text: b"PAR1" + bytes(100)),
        ("rows.csv", lambda text: b""),
    ],
)
def test_rows_in_a_damaged_file_are_one_line(
    name: str, packed: Callable[[bytes], bytes], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = pd.read_parquet(folder / "rows.parquet").to_csv(index=False).encode()
    (tmp_path / name).write_bytes(packed(text))
    given = ["--pipeline", str(folder / "fitted.skops"), "--data", str(tmp_path / name), "--quiet"]
    assert to_onnx.main([*given, "--out", str(tmp_path / "model")]) == 1
    assert f"{name}: expected a Parquet or CSV file (" in said(capsys)


def test_a_csv_is_read_and_another_column_of_outcomes_is_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.read_parquet(folder / "rows.parquet").to_csv(tmp_path / "rows.csv", index=False)
    given = ["--pipeline", str(folder / "fitted.skops"), "--data", str(tmp_path / "rows.csv"), "--quiet"]
    assert to_onnx.main([*given, "--out", str(tmp_path / "model"), "--target", "worse"]) == 1
    assert 'rows.csv: no column "worse"' in said(capsys)
    assert to_onnx.main([*given, "--out", str(tmp_path / "model"), "--target", "bad"]) == 0, said(capsys)
