"""Credit-default decisions equal to the fitted scikit-learn pipeline, to the last bit.

    train          a table to artifacts/: fitted pipeline, metrics, report
    export         artifacts/ to model/: one ONNX graph, its manifest, and the certificate that it is exact
    export_model   a fitted scikit-learn pipeline of your own to model/, the same way
    load_model     model/ as the runtime serves it
    load_pipeline  artifacts/ as the fitted scikit-learn pipeline
    register       the exact converters for `skl2onnx.to_onnx` of a pipeline of your own; `unregister` takes them back
    compare        a graph of `skl2onnx.to_onnx` with the pipeline that it was made of, on rows

The commands (`python -m training.run`, `lastbit-train`, …) do the same and more. Importing this module loads neither
NumPy nor scikit-learn; each function loads what it needs. Mistakes of a user raise `cli.errors.UserError`: one line
that says what was expected, what came and what to do. Probabilities are of default, 0 to 1; scores are points;
margins are log-odds before calibration.

>>> import tempfile, lastbit
>>> out = tempfile.TemporaryDirectory()
>>> settings = {
...     "data": {"file": "examples/german_credit/germancredit.csv", "id": "", "target": "creditability",
...              "positive": "bad"},
...     "features": {"duration_in_month": "number", "credit_amount": "number"},
...     "row_max": {},
...     "model": {"folds": 2, "calibration": "sigmoid"},
...     "xgboost": {"n_estimators": 10},
...     "evaluation": {"plots": False, "resamples": 100},
... }
>>> artifacts = lastbit.train(settings, f"{out.name}/artifacts")
>>> folder = lastbit.export(artifacts, f"{out.name}/model")
>>> model = lastbit.load_model(folder)
>>> probability, margin = model.predict([[24.0, 5000.0], [float("nan"), 800.0]])
>>> probability.shape, probability.dtype.name, margin.shape, margin.dtype.name
((2,), 'float64', (2, 2), 'float32')
>>> import pandas
>>> frame = pandas.DataFrame({"duration_in_month": [24.0, float("nan")], "credit_amount": [5000.0, 800.0]})
>>> bool((abs(lastbit.load_pipeline(artifacts).predict_proba(frame)[:, 1] - probability) < 4.5e-16).all())
True
>>> out.cleanup()
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline
    from xgboost import XGBClassifier

    from runtime.model import Model

__all__ = ["compare", "export", "export_model", "load_model", "load_pipeline", "register", "train", "unregister"]

# Import names of this project, beside this module: docs/decisions/0005-rooms-are-import-names.md.
_ROOMS = ("cli", "export", "population", "runtime", "scoring", "storage", "table", "training", "trees", "validation")


def train(
    settings: "Mapping[str, Any] | str | Path | None" = None, out: "str | Path" = "artifacts", *, quiet: bool = True
) -> Path:
    """Fits, calibrates and evaluates a model, and replaces the folder `out` when all is done.

    Parameters
    ----------
    settings : a TOML file, or its content as a mapping of tables (see examples/); None trains the reference settings
        on the built-in population. The table that `data.file` names has one row for each applicant; a column of type
        `number` is float64 with empty cells or NaN for missing, the target is binary.
    out : folder of the artifacts.
    quiet : False prints progress and a summary on standard error.

    Returns the folder. Raises UserError for wrong settings or a table that cannot be trained on; `out` is then as it
    was.

    >>> train({"data": {"file": "nowhere.csv"}})
    Traceback (most recent call last):
    ...
    cli.errors.UserError: nowhere.csv: no such file; name an existing CSV, Parquet or Excel file

    """
    _refuse_strangers()
    from cli.progress import Progress
    from training.run import train as run
    from training.settings import load_settings, settings_from_dict

    if settings is None or isinstance(settings, str | Path):
        read = load_settings(None if settings is None else Path(settings), {})
    else:
        read = settings_from_dict(settings)
    run(read, Path(out), Progress(quiet=quiet))
    return Path(out)


def export(
    artifacts: "str | Path" = "artifacts",
    out: "str | Path" = "model",
    reasons: "str | Path | None" = None,
    *,
    quiet: bool = True,
) -> Path:
    """Converts the fitted pipeline to one ONNX graph, proves it equal, and replaces the folder `out`.

    Parameters
    ----------
    artifacts : folder that `train` wrote.
    out : folder of model.onnx, manifest.json, reasons.bin, batch.bin and certificate.json.
    reasons : TOML file of texts, codes, groups and reference rows, in place of those of training.
    quiet : False prints progress and the certificate's counts on standard error.

    Returns the folder. Raises UserError where artifacts are missing or altered, and ExportRefused, a UserError, where
    the graph has not been shown to be exact; `out` is then as it was.

    >>> export("nowhere")
    Traceback (most recent call last):
    ...
    cli.errors.UserError: nowhere: no such folder; train again (python -m training.run)

    """
    _refuse_strangers()
    from cli.progress import Progress
    from export.to_onnx import export as run
    from export.to_onnx import reasons_settings
    from training.artifacts import load_artifacts

    progress, loaded = Progress(quiet=quiet), load_artifacts(Path(artifacts))
    run(loaded, Path(out), progress, *reasons_settings(loaded, None if reasons is None else str(reasons), progress))
    return Path(out)


def export_model(
    pipeline: Any,
    X: Any,
    y: Any = None,
    out: "str | Path" = "model",
    config: "Mapping[str, Any] | str | Path | None" = None,
    reasons: "Mapping[str, Any] | str | Path | None" = None,
    *,
    tolerance: float | None = None,
    quiet: bool = True,
) -> Path:
    """Converts a fitted pipeline that lastbit did not train, proves the graph equal, and replaces the folder `out`.

    Parameters
    ----------
    pipeline : fitted scikit-learn pipeline over a binary XGBClassifier, calibrated or not. docs/own-pipeline.md says
        which steps are taken; any other is refused by name.
    X : DataFrame of 100 real rows or more, in the raw columns that the pipeline was fitted on. Types, levels and ranges
        of the manifest are read from it.
    y : outcomes of these rows, for the metrics that monitoring compares with; None leaves them out.
    out : folder of model.onnx, manifest.json, reasons.bin and certificate.json.
    config : a TOML file, or its content as a mapping of tables: `score`, `bands`, `grades`, `limits`, `target`
        (`positive`, the class that is a default, where classes are not 0 and 1), `exactness`, `descriptions`, and those
        of reasons.
    reasons : TOML file or mapping of `reasons`, `reason_groups` and `reason_texts`, in place of those of `config`.
    tolerance : largest difference of a probability, above 0 and up to 0.001, that is accepted of steps that mix columns
        (PCA, …), which are only close; None refuses such steps. Bands never differ. Manifest and certificate say it.
    quiet : False prints progress on standard error.

    Returns the folder. Raises UserError, and ExportRefused, which is one, where the graph has not been shown to be
    exact: the line names the row, the column and the step. `out` is then as it was.

    >>> export_model(object(), [])
    Traceback (most recent call last):
    ...
    export.refusal.ExportRefused: pipeline: expected a fitted binary classifier of scikit-learn's kind, got object

    """
    _refuse_strangers()
    from cli.progress import Progress
    from export.own.model import export_own
    from export.own.settings import own_settings

    settings = own_settings(config, tolerance, reasons=reasons)
    export_own(pipeline, X, y, Path(out), settings, Progress(quiet=quiet))
    return Path(out)


def load_pipeline(path: "str | Path" = "artifacts") -> "Pipeline":
    """Opens the fitted scikit-learn pipeline, without pickle.

    Parameters
    ----------
    path : artifacts folder, or a pipeline.skops. Files of former layouts of the project open too.

    Returns a Pipeline whose `predict_proba` takes a DataFrame of N raw columns (float64 with NaN, texts with None for
    missing) and returns float64 [N, 2]; column 1 is the probability of default. Raises UserError for a file that is
    missing, damaged, or holds types that no pipeline of this project is made of.

    >>> load_pipeline("nowhere.skops")
    Traceback (most recent call last):
    ...
    cli.errors.UserError: nowhere.skops: no such file; train again (python -m training.run)

    """
    _refuse_strangers()
    from training.artifacts import load_pipeline as run

    return run(path)


def load_model(folder: "str | Path" = "model") -> "Model":
    """Opens an exported model as the runtime does, self-check included. Needs onnxruntime and NumPy only.

    Parameters
    ----------
    folder : folder that `export` wrote.

    Returns a `runtime.model.Model`, safe to use from several threads. `predict(numbers, categories)` takes raw
    columns in the manifest's order: float64 [N, n] with NaN for missing, booleans as 1 and 0; texts [N, c] with "" for
    missing. It returns the probability of default, float64 [N], and the margins, float32 [N, k], one for each of k
    boosters. `manifest.scale.score(probability)` gives points. Raises `runtime.reader.ModelRefused` for a model that
    must not serve.

    >>> load_model("nowhere")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    runtime.reader.ModelRefused: nowhere: expected a folder with model.onnx and manifest.json, got none; run ...

    """
    _refuse_strangers()
    from runtime.model import Model

    return Model.load(str(folder))


def register(*subclasses: "type[XGBClassifier]") -> None:
    """Makes `skl2onnx.to_onnx` use the exact converters, in this process, for all that follows.

    Parameters
    ----------
    subclasses : subclasses of XGBClassifier to be converted as XGBClassifier is.

    The graph's outputs are `label` [N] and `probabilities` [N, 2], float64 where a calibrator made them and float32
    otherwise. Declare number inputs as DoubleTensorType. `to_onnx` then raises ExportRefused for what cannot be
    exported exactly. Nothing is compared here: `compare` does that for a graph, `export_model` for a whole model.

    >>> register()

    """
    _refuse_strangers()
    from export.converters.registration import register as run

    run(*subclasses)


def unregister() -> None:
    """Gives skl2onnx back the converters that it had before `register`, in this process.

    >>> unregister()
    """
    _refuse_strangers()
    from export.converters.registration import unregister as run

    run()


def compare(graph: Any, pipeline: Any, X: Any, *, tolerance: float = 1e-7) -> "dict[str, float]":
    """Compares a graph that skl2onnx made with the fitted pipeline, on rows and on rows made of them.

    Parameters
    ----------
    graph : ONNX model with the output `probabilities`: a file, its bytes, or a ModelProto. Its inputs are the columns
        of `X`, each by its name, or one matrix of all of them.
    pipeline : the fitted classifier.
    X : DataFrame or array of 100 real rows or more.
    tolerance : largest absolute difference of a probability.

    Returns `rows`, `bit_equal` and `largest_difference`. Raises ExportRefused, naming the first row that differs, and
    for inputs that are not the columns of `X`.

    >>> compare(b"", None, [])
    Traceback (most recent call last):
    ...
    export.refusal.ExportRefused: graph: expected an ONNX model, got 0 bytes of something else

    """
    _refuse_strangers()
    from export.own.compare import compare_graph

    return compare_graph(graph, pipeline, X, tolerance)


def _refuse_strangers() -> None:
    """Raises ImportError where a room is another project's package of the same name."""
    here = Path(__file__).resolve().parent
    for room in _ROOMS:
        spec = find_spec(room)
        found = Path(spec.origin).resolve() if spec and spec.origin else None
        if found is None or found.parent.parent != here:
            raise ImportError(
                f"lastbit: expected the package {room} in {here}, found {found or 'none'}; "
                "install lastbit in an environment of its own"
            )
