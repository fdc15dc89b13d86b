"""Evidence of a real, small run: the built-in population, few trees, every figure from well-kept libraries."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xgboost
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.base import clone
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.pipeline import Pipeline

from training import population
from training.assembly import assemble
from training.evaluation.bands import band_edges, band_table, scores_of
from training.evaluation.evidence import Evidence, Part
from training.evaluation.metrics import evaluate
from training.settings import Settings, settings_as_dict, settings_from_dict

WITH_INTERVALS = {"roc_auc": roc_auc_score, "log_loss": log_loss, "brier": brier_score_loss}
RESAMPLES = 20


@dataclass(frozen=True)
class Sample:
    """What the report is made of."""

    run: dict[str, Any]
    evidence: Evidence
    parts: dict[str, Part]


def sample(frame: pd.DataFrame, content: dict[str, Any] | None = None, *, trees: int = 25) -> Sample:
    """A run on a table of applicants whose target is `default` (0 or 1), with the settings of `content`."""
    settings = settings_from_dict(content or {}, {"xgboost.n_estimators": trees, "model.calibration": "sigmoid"})
    target = frame["default"].to_numpy(dtype=np.int8)
    columns = pd.DataFrame(
        {f.name: frame[f.name].astype(object if f.type == "category" else float) for f in settings.features}
    )
    rows = train_test_split(np.arange(len(frame)), test_size=0.25, random_state=99, stratify=target)
    pipeline = assemble(settings).fit(columns.iloc[rows[0]], target[rows[0]])
    parts = {
        name: _part(settings, pipeline, columns.iloc[r], target[r])
        for name, r in zip(("train", "test"), rows, strict=True)
    }
    edges = band_edges(parts["train"].score, settings.score)
    evidence = Evidence(
        metrics={name: evaluate(part.target, part.probability, 0.5) for name, part in parts.items()},
        intervals={name: _intervals(part) for name, part in parts.items()},
        edges=edges,
        bands={
            name: _with_predicted(band_table(part.score, part.target, edges), part, edges)
            for name, part in parts.items()
        },
        cutoffs=_cutoffs(parts["test"]),
        reliability={name: _reliability(part) for name, part in parts.items()},
        calibration=_comparison(settings, columns.iloc[rows[0]], target[rows[0]]),
        alarms=_alarms(parts["train"]),
        stability=_stability(settings, parts),
        importance=(importance := _importance(settings, pipeline, parts["train"].frame)),
        dependence={name: _dependence(parts["train"], name) for name in importance["Feature"].head(6)},
        exploration={},
    )
    run = {
        "schema_version": 1,
        "data": {"source": "built-in population", "sha256": "0" * 64, "rows": len(target), "dropped_rows": 0},
        "settings": settings_as_dict(settings),
        "seed": settings.split.seed,
        "bands": edges,
        "metrics": evidence.metrics,
        "versions": {"python": "3", "numpy": np.__version__, "xgboost": xgboost.__version__},
        "same_bytes_again": "the same data, settings and versions, on the same kind of processor",
    }
    return Sample(run, evidence, parts)


def population_sample(rows: int = 12_000, trees: int = 25) -> Sample:
    """The built-in population."""
    return sample(population.draw(rows), trees=trees)


def _part(settings: Settings, pipeline: Pipeline, frame: pd.DataFrame, target: NDArray[np.int8]) -> Part:
    probability = pipeline.predict_proba(frame)[:, 1]
    return Part(frame, target, probability, scores_of(probability, settings.score))


def _intervals(part: Part) -> dict[str, tuple[float, float]]:
    rng = np.random.default_rng(0)
    drawn = [rng.integers(0, len(part.target), len(part.target)) for _ in range(RESAMPLES)]
    limits = {
        name: np.quantile([metric(part.target[rows], part.probability[rows]) for rows in drawn], [0.025, 0.975])
        for name, metric in WITH_INTERVALS.items()
    }
    limits["gini"] = 2 * limits["roc_auc"] - 1
    return {name: (float(low), float(high)) for name, (low, high) in limits.items()}


def _with_predicted(table: pd.DataFrame, part: Part, edges: list[float]) -> pd.DataFrame:
    """The table of bands with observed and predicted default rate (%) and the observed one's limits."""
    place = np.clip(np.searchsorted(edges, part.score, side="right") - 1, 0, len(edges) - 2)
    mean = pd.Series(100 * part.probability).groupby(place).mean()
    limits = [_limits(k, n) for k, n in zip(table["# Default"], table["Band Size"], strict=True)]
    return table.assign(
        Observed=table["Band Precision"],
        Low=[100 * low for low, _ in limits],
        High=[100 * high for _, high in limits],
        Predicted=mean.reindex(range(len(table))).to_numpy(),
    )


def _limits(defaults: int, rows: int) -> tuple[float, float]:
    if not rows:
        return (np.nan, np.nan)
    interval = binomtest(int(defaults), int(rows)).proportion_ci(method="wilson")
    return (interval.low, interval.high)


def _reliability(part: Part) -> pd.DataFrame:
    groups = pd.DataFrame({"p": part.probability, "y": part.target})
    groups["group"] = pd.qcut(part.probability, 10, duplicates="drop")
    each = groups.groupby("group", observed=True)
    defaults, size = each["y"].sum(), each["y"].size()
    limits = [_limits(k, n) for k, n in zip(defaults, size, strict=True)]
    return pd.DataFrame(
        {
            "Applicants": size.to_numpy(),
            "Predicted": each["p"].mean().to_numpy(),
            "Observed": each["y"].mean().to_numpy(),
            "Low": [low for low, _ in limits],
            "High": [high for _, high in limits],
        }
    )


def _cutoffs(part: Part) -> pd.DataFrame:
    scores = np.arange(10 * np.floor(part.score.min() / 10), part.score.max(), 10)
    approved = [part.target[part.score >= score] for score in scores]
    return pd.DataFrame(
        {
            "Score from": scores,
            "Approved": [len(those) for those in approved],
            "Approval rate": [len(those) / len(part.target) for those in approved],
            "Bad rate": [those.mean() for those in approved],
            "Expected profit": [60.0 * (those == 0).sum() - 700.0 * those.sum() for those in approved],
        }
    )


def _comparison(settings: Settings, frame: pd.DataFrame, target: NDArray[np.int8]) -> dict[str, Any]:
    pipeline = assemble(settings)
    matrix = pipeline[0].fit_transform(frame)
    folds = StratifiedKFold(3, shuffle=True, random_state=99)

    def measured(method: str, metric: str) -> NDArray[np.float64]:
        classifier = clone(pipeline[-1]).set_params(calibration=method)
        return -np.asarray(cross_val_score(classifier, matrix, target, scoring=metric, cv=folds))

    comparison = []
    for method in ("sigmoid", "isotonic", "none"):
        entry: dict[str, Any] = {"method": method}
        for name, scoring in (("log_loss", "neg_log_loss"), ("brier", "neg_brier_score")):
            values = measured(method, scoring)
            entry |= {name: float(values.mean()), f"{name}_error": float(values.std(ddof=1) / np.sqrt(len(values)))}
        comparison.append(entry)
    best = min(comparison, key=lambda entry: entry["log_loss"])
    reason = f"{best['method']} has the lowest cross-validated log loss, {best['log_loss']:.5f}"
    return {
        "chosen": "sigmoid",
        "by": "settings",
        "reason": f"taken from the settings; {reason}",
        "comparison": comparison,
    }


def _alarms(part: Part) -> list[dict[str, Any]]:
    share = float(np.mean(part.score > part.score.max() - 20))
    message = f"{share:.1%} of the training applicants have a score within 20 points of the best one"
    return [{"name": "scores squeeze", "value": share, "limit": 0.2, "message": message}] if share > 0.2 else []


def _stability(settings: Settings, parts: dict[str, Part]) -> dict[str, Any]:
    train, test = parts["train"], parts["test"]
    features = []
    for name in train.frame.columns:
        bins = _bins(train.frame[name], test.frame[name])
        features.append({"feature": name, "csi": _index(bins), "limit": 0.25, "bins": bins})
    score = _bins(pd.Series(train.score), pd.Series(test.score))
    return {
        "score": {"psi": _index(score), "limit": settings.stability.score_limit, "bins": score},
        "features": sorted(features, key=lambda entry: -entry["csi"]),
    }


def _bins(train: "pd.Series[Any]", test: "pd.Series[Any]") -> list[dict[str, Any]]:
    if train.dtype == object:
        first, second = train.fillna("missing"), test.fillna("missing")
    else:
        edges = np.unique(train.quantile(np.linspace(0.1, 0.9, 9)).dropna())
        first, second = (pd.cut(column, [-np.inf, *edges, np.inf]).astype(str) for column in (train, test))
    expected, actual = first.value_counts(normalize=True, sort=False), second.value_counts(normalize=True)
    actual = actual.reindex(expected.index, fill_value=0.0)
    a, e = actual.clip(lower=1e-6), expected
    contribution: pd.Series[float] = (a - e) * np.log(a / e)
    shares = zip(e.index, e, actual, contribution, strict=True)
    return [dict(zip(("bin", "expected", "actual", "contribution"), entry, strict=True)) for entry in shares]


def _index(bins: list[dict[str, Any]]) -> float:
    return float(sum(entry["contribution"] for entry in bins))


def _importance(settings: Settings, pipeline: Pipeline, frame: pd.DataFrame) -> pd.DataFrame:
    preparation, classifier = pipeline
    matrix = xgboost.DMatrix(preparation.transform(frame.head(2_000)))
    contributions = classifier.estimators_[0].get_booster().predict(matrix, pred_contribs=True)[:, :-1]
    names = [name.split("=")[0] for name in preparation.get_feature_names_out()]
    of_column = [name.removeprefix("log1p(").removesuffix(")") for name in names]
    points = pd.Series(np.abs(contributions).mean(axis=0) * settings.score.points_to_double / np.log(2))
    total = points.groupby(of_column).sum().sort_values(ascending=False)
    raw = [name for name in total.index if name in frame.columns]
    total = total[raw]
    return pd.DataFrame(
        {"Feature": raw, "Mean points": total.to_numpy(), "Share": 100 * (total / total.sum()).to_numpy()}
    )


def _dependence(part: Part, name: str) -> pd.DataFrame:
    column = part.frame[name]
    if column.dtype == object:
        value = column.fillna("missing")
    else:
        bins = pd.qcut(column, 12, duplicates="drop")
        value = column.groupby(bins, observed=True).transform("median")
    groups = pd.Series(part.score, index=column.index).groupby(value)
    return pd.DataFrame(
        {
            "Mean score": groups.mean(),
            "Low": groups.quantile(0.25),
            "High": groups.quantile(0.75),
            "Share": 100 * groups.size() / len(part.frame),
        }
    ).reset_index(names="Value")


def random_search(trials: int = 6) -> dict[str, Any]:
    """A search, as run.json has it: learning rates drawn at random, log loss of cross-validation."""
    frame = population.draw(2_000)
    settings = settings_from_dict({}, {"xgboost.n_estimators": 10, "model.calibration": "sigmoid"})
    target = frame["default"].to_numpy()
    matrix = assemble(settings)[0].fit_transform(frame)
    rng = np.random.default_rng(0)

    def value(rate: float) -> float:
        booster = xgboost.XGBClassifier(n_estimators=10, max_depth=2, learning_rate=rate, n_jobs=1)
        return float(-cross_val_score(booster, matrix, target, scoring="neg_log_loss", cv=3).mean())

    rates = [float(10**x) for x in rng.uniform(-2, -0.3, trials)]
    history: list[dict[str, Any]] = [
        {"trial": i, "value": value(rate), "state": "complete"} for i, rate in enumerate(rates)
    ]
    best = min(history, key=lambda entry: entry["value"])
    return {
        "trials": trials,
        "pruned": 0,
        "best_value": best["value"],
        "baseline_value": value(0.3),
        "parameters": {"learning_rate": rates[best["trial"]]},
        "history": history,
    }
