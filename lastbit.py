"""Credit-default decisions equal to the fitted scikit-learn pipeline, to the last bit.

    train          a table → artifacts/: fitted pipeline, metrics, report
    export         artifacts/ → model/: one ONNX graph, its manifest, and the certificate that it is exact
    export_model   your own fitted scikit-learn pipeline → model/, with the same certificate
    load_model     open model/ as the runtime serves it
    load_pipeline  open artifacts/ as the fitted scikit-learn pipeline
    register       exact converters for `skl2onnx.to_onnx` of your own pipeline; `unregister` removes them
    compare        compare a graph of `skl2onnx.to_onnx` with its pipeline, on rows

The commands (`python -m training.run`, `lastbit-train`, …) do the same and more. Importing this module loads neither
NumPy nor scikit-learn; each function loads what it needs. A user's mistake raises `cli.errors.UserError`: one line
with what was expected, what came and what to do. Probabilities are of default, 0 to 1; scores are points;
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
    """Fit, calibrate and evaluate a model, and replace the folder `out` once everything succeeded.

    Parameters
    ----------
    settings : mapping, str or Path, optional
        A TOML file, or its content as a mapping of tables (see examples/). None trains the reference settings on the
        built-in population. The table that `data.file` names has one row for each applicant. A column of type `number`
        is read as float64, with NaN for an empty cell; the target has two classes.
    out : str or Path
        Folder of the artifacts.
    quiet : bool
        False prints progress and a summary on standard error.

    Returns
    -------
    Path
        The folder `out`.

    Raises
    ------
    UserError
        For wrong settings, or a table that cannot be trained on. `out` is then unchanged.

    Examples
    --------
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
    """Convert the fitted pipeline to one ONNX graph, prove it equal, and replace the folder `out`.

    Parameters
    ----------
    artifacts : str or Path
        Folder that `train` wrote.
    out : str or Path
        Folder of model.onnx, manifest.json, reasons.bin, batch.bin and certificate.json.
    reasons : str or Path, optional
        TOML file of texts, codes, groups and reference rows, instead of those of training.
    quiet : bool
        False prints progress and the certificate's counts on standard error.

    Returns
    -------
    Path
        The folder `out`.

    Raises
    ------
    UserError
        For artifacts that are missing or altered. `out` is then unchanged.
    ExportRefused
        For a graph that has not been shown to be exact: a UserError. `out` is then unchanged.

    Examples
    --------
    >>> export("nowhere")
    Traceback (most recent call last):
    ...
    cli.errors.UserError: nowhere: no such folder; train a model first (python -m training.run), or name its artifacts
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
    """Convert a fitted pipeline that lastbit did not train, prove the graph equal, and replace the folder `out`.

    Parameters
    ----------
    pipeline : Pipeline or classifier
        Fitted scikit-learn pipeline over a binary XGBClassifier, calibrated or not. docs/own-pipeline.md lists the
        supported steps; any other step is refused by name.
    X : DataFrame [N, columns]
        100 real rows or more, in the raw columns that the pipeline was fitted on, with NaN or None for missing values.
        Types, levels and ranges of the manifest are read from them.
    y : array [N], optional
        Outcomes of these rows, for the metrics that monitoring compares with. None leaves the metrics out.
    out : str or Path
        Folder of model.onnx, manifest.json, reasons.bin and certificate.json.
    config : mapping, str or Path, optional
        A TOML file, or its content as a mapping of tables: `score`, `bands`, `grades`, `limits`, `exactness`,
        `descriptions`, those of reasons, and `target`, whose `positive` is the class that is a default where classes
        are not 0 and 1.
    reasons : mapping, str or Path, optional
        A TOML file, or its content, of `reasons`, `reason_groups` and `reason_texts`, instead of those of `config`.
    tolerance : float, optional
        Largest accepted difference of a probability, above 0 and up to 0.001, for steps that mix columns (PCA, …),
        whose answers are close but not equal. None refuses such steps. Bands never differ. Manifest and certificate
        state the tolerance.
    quiet : bool
        False prints progress on standard error.

    Returns
    -------
    Path
        The folder `out`.

    Raises
    ------
    UserError
        For settings or rows that cannot be used. `out` is then unchanged.
    ExportRefused
        For a pipeline that is not supported, or a graph that has not been shown to be exact: a UserError that names
        the row, the column and the step. `out` is then unchanged.

    Examples
    --------
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
    """Open the fitted scikit-learn pipeline, without pickle.

    Parameters
    ----------
    path : str or Path
        Folder of artifacts, or a pipeline.skops. Files of earlier layouts of the project open too.

    Returns
    -------
    Pipeline
        Its `predict_proba` takes a DataFrame of N rows of raw columns (float64 with NaN, strings with None for missing)
        and returns float64 [N, 2]; column 1 is the probability of default, 0 to 1.

    Raises
    ------
    UserError
        For a file that is missing, damaged, or holds types that no pipeline of this project is made of.

    Examples
    --------
    >>> load_pipeline("nowhere.skops")
    Traceback (most recent call last):
    ...
    cli.errors.UserError: nowhere.skops: no such file; train again (python -m training.run)
    """
    _refuse_strangers()
    from training.artifacts import load_pipeline as run

    return run(path)


def load_model(folder: "str | Path" = "model") -> "Model":
    """Open an exported model as the runtime does, self-check included; onnxruntime and NumPy are enough.

    Parameters
    ----------
    folder : str or Path
        Folder that `export` or `export_model` wrote.

    Returns
    -------
    runtime.model.Model
        Safe to use from several threads. `predict(numbers, categories)` takes raw columns in the manifest's order:
        float64 [N, n] with NaN for missing, booleans as 1 and 0; strings [N, c] with "" for missing. It returns the
        probability of default, float64 [N], 0 to 1, and the margins, float32 [N, k] in log-odds, one for each of k
        boosters. `manifest.scale.score(probability)` gives points.

    Raises
    ------
    runtime.reader.ModelRefused
        For a model that must not serve: files that are missing or altered, or self-check rows answered otherwise.

    Examples
    --------
    >>> load_model("nowhere")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    runtime.reader.ModelRefused: nowhere: expected a folder with model.onnx and manifest.json, got none; run ...
    """
    _refuse_strangers()
    from runtime.model import Model

    return Model.load(str(folder))


def register(*subclasses: "type[XGBClassifier]") -> None:
    """Make `skl2onnx.to_onnx` use the exact converters, in this process, until `unregister`.

    The graph's outputs are `label` [N] and `probabilities` [N, 2], float64 where a calibrator made them and float32
    otherwise. Declare number inputs as DoubleTensorType. Nothing is compared here: `compare` checks a graph,
    `export_model` a whole model.

    Parameters
    ----------
    *subclasses : type of XGBClassifier
        Subclasses of XGBClassifier to be converted as XGBClassifier is.

    Raises
    ------
    ExportRefused
        Later, by `to_onnx`, for what cannot be exported exactly.

    Examples
    --------
    >>> register()
    """
    _refuse_strangers()
    from export.converters.registration import register as run

    run(*subclasses)


def unregister() -> None:
    """Give skl2onnx back the converters that it had before `register`, in this process.

    Examples
    --------
    >>> unregister()
    """
    _refuse_strangers()
    from export.converters.registration import unregister as run

    run()


def compare(graph: Any, pipeline: Any, X: Any, *, tolerance: float = 1e-7) -> "dict[str, float]":
    """Compare a graph that skl2onnx made with the fitted pipeline, on rows and on rows made of them.

    Parameters
    ----------
    graph : str, Path, bytes or ModelProto
        ONNX model with the output `probabilities` [N, 2]. Its inputs are the columns of `X`, each by its name, or one
        matrix of all columns.
    pipeline : Pipeline or classifier
        The fitted classifier that the graph was made of.
    X : DataFrame or array [N, columns]
        100 real rows or more, with NaN for missing values.
    tolerance : float
        Largest accepted absolute difference of a probability.

    Returns
    -------
    dict
        `rows`, the number of rows compared; `bit_equal`, the number of them with equal probabilities;
        `largest_difference`, of a probability.

    Raises
    ------
    ExportRefused
        For a difference above `tolerance`, naming the first row; for fewer than 100 rows; and for inputs that are not
        the columns of `X`.

    Examples
    --------
    >>> compare(b"", None, [])
    Traceback (most recent call last):
    ...
    export.refusal.ExportRefused: graph: expected an ONNX model, got 0 bytes of something else
    """
    _refuse_strangers()
    from export.own.compare import compare_graph

    return compare_graph(graph, pipeline, X, tolerance)


def _refuse_strangers() -> None:
    """Raise ImportError where a room is another project's package of the same name."""
    here = Path(__file__).resolve().parent
    for room in _ROOMS:
        spec = find_spec(room)
        found = Path(spec.origin).resolve() if spec and spec.origin else None
        if found is None or found.parent.parent != here:
            raise ImportError(
                f"lastbit: expected the package {room} in {here}, found {found or 'none'}; "
                "install lastbit in an environment of its own"
            )
