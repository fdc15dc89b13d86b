"""Steps that mix columns are only close: refused by default, taken with a tolerance that every document states."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from onnx import TensorProto
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler

from cli.errors import UserError
from delivery.certificate import as_markdown
from export.own import mixed
from export.own.files import load_fitted
from export.own.settings import own_settings
from export.refusal import ExportRefused
from export.verify import main as verify
from lastbit import export_model
from runtime.model import Model
from tests.export.own import preparations
from tests.export.own.pipelines import FORMS, NUMBERS, QUIET, booster, exported, rows_of, served, usual

pytestmark = pytest.mark.tier("land")
X, Y = rows_of(600)
ACCEPTED = own_settings({"exactness": {"tolerance": 1e-6}})
CASES = [case for case in preparations.CASES if case.tolerated]


def mixing(numbers: Any) -> ColumnTransformer:
    one_hot = OneHotEncoder(handle_unknown="ignore")
    parts = [("numbers", numbers, NUMBERS), ("texts", one_hot, ["job", "city"])]
    return ColumnTransformer(parts, sparse_threshold=0.0)


@pytest.mark.sample(2)
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("form", ["plain", "isotonic", "sigmoid on margins, over the pipeline"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_steps_that_mix_columns_are_taken_with_a_tolerance(
    case: preparations.Case, form: str, sparse: bool, tmp_path: Path
) -> None:
    fitted = FORMS[form](case.preparation(sparse=sparse)).fit(X, Y)
    with pytest.raises(ExportRefused, match=r"is not supported: .* or accept what is only close \(--tolerance\)"):
        exported(fitted, X, tmp_path / "model")
    beside = ""
    try:
        certificate, model = exported(fitted, X, tmp_path / "model", settings=ACCEPTED)
    except ExportRefused as refusal:
        beside = str(refusal)
    if beside:  # a row without numbers is at 0 but for a rounding, where a threshold may be
        assert sparse
        assert "differs first at columntransformer → numbers → mixed (PCA): in row" in beside
        return
    assert certificate["tolerances"]["probability_difference"] == 1e-6
    assert certificate["tolerances"]["margins_bit_equal_share"] == 0
    assert certificate["total"]["bands_that_differ"] == 0
    others, _ = rows_of(300, seed=5)
    assert served(model, others) == pytest.approx(fitted.predict_proba(others)[:, 1], abs=1e-6, rel=0)


def test_a_made_number_that_float32_alone_rounds_to_zero_stays_in_a_sparse_matrix(tmp_path: Path) -> None:
    """An entry that is stored is 0 to the trees; where none is stored the value is missing."""
    case = next(case for case in CASES if case.name == "`TruncatedSVD`")
    fitted = FORMS["plain"](case.preparation(sparse=True)).fit(X, Y)
    _, model = exported(fitted, X, tmp_path / "model", settings=ACCEPTED)
    for tiny in (1e-50, 0.0):
        rows = X.assign(**dict.fromkeys(NUMBERS, tiny))
        assert served(model, rows) == pytest.approx(fitted.predict_proba(rows)[:, 1], abs=1e-6, rel=0)


def test_manifest_certificate_and_summary_state_the_tolerance(tmp_path: Path) -> None:
    fitted = make_pipeline(mixing(make_pipeline(SimpleImputer(), StandardScaler(), PCA(3))), booster()).fit(X, Y)
    skops.io.dump(fitted, tmp_path / "fitted.skops")
    X.to_parquet(tmp_path / "rows.parquet")
    export_model(load_fitted(tmp_path / "fitted.skops", QUIET).estimator, X, None, tmp_path / "model", tolerance=1e-6)
    model = Model.load(str(tmp_path / "model"))
    stated = model.manifest.document["tolerance"]
    assert (stated["stated"], stated["steps"]) == (1e-6, ["columntransformer → numbers (PCA)"])
    certificate = json.loads((tmp_path / "model" / "certificate.json").read_text())
    assert stated["largest_difference"] == certificate["total"]["largest_probability_difference"] <= 1e-6
    assert model.manifest.probability_tolerance == 1e-6
    assert "The tolerances are a difference of p of 1.0e-06" in as_markdown(model.manifest.model_version, certificate)
    own = ["--pipeline", tmp_path / "fitted.skops", "--data", tmp_path / "rows.parquet", "--quiet"]
    assert verify([str(word) for word in ["--model", tmp_path / "model", *own]]) == 0


def test_an_exact_pipeline_needs_no_tolerance(tmp_path: Path) -> None:
    fitted = make_pipeline(usual(), booster()).fit(X, Y)
    certificate, model = exported(fitted, X, tmp_path / "model", settings=ACCEPTED)
    assert "tolerance" not in model.manifest.document
    assert certificate["tolerances"]["margins_bit_equal_share"] == 1.0


def test_what_differs_by_more_is_refused_with_row_column_and_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert = mixed.convert_mixed

    def moved(graph: Any, *asked: Any, **options: Any) -> str:
        matrix = graph.node("Cast", convert(graph, *asked, **options), to=TensorProto.FLOAT)
        return str(graph.node("Add", matrix, graph.constant(np.array(0.01, dtype=np.float32))))

    monkeypatch.setattr("export.own.graph.convert_mixed", moved)
    fitted = make_pipeline(mixing(make_pipeline(SimpleImputer(), StandardScaler(), PCA(3))), booster()).fit(X, Y)
    said = r"tolerance is 1\.0e-06; .*; prepared column \d differs first at .* → numbers \(PCA\): in row \d+"
    with pytest.raises(ExportRefused, match=said):
        exported(fitted, X, tmp_path / "model", settings=ACCEPTED)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("tolerance", [0, -1e-6, 0.01, float("nan"), float("inf")])
def test_a_tolerance_is_above_0_and_small(tolerance: float) -> None:
    with pytest.raises(UserError, match=r"tolerance: expected a number above 0 and up to 0\.001, got"):
        own_settings(None, tolerance)


def test_a_step_that_no_converter_knows_is_refused_by_name(tmp_path: Path) -> None:
    fitted = make_pipeline(mixing(make_pipeline(SimpleImputer(), SplineTransformer())), booster()).fit(X, Y)
    with pytest.raises(ExportRefused, match=r"numbers: skl2onnx does not convert it .*SplineTransformer"):
        exported(fitted, X, tmp_path / "model", settings=ACCEPTED)
