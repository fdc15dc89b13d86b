"""Less discriminatory trials of a search: their figures, which are kept, and a search that groups do not change."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from cli.progress import Progress
from table import Table, read_table
from tests.applicants import draw
from training import tuning
from training.documents import SearchRecord
from training.settings import Data, Fairness, Feature, Settings, Split, Tuning
from training.tuning import growth
from training.tuning.frontier import ATTRIBUTE, Judge, frontier

SETTINGS = Settings(
    data=Data(id=None),
    features=tuple(Feature(name, "number") for name in ("income", "debt", "late_1")),
    row_max={},
    split=Split(0.25, 3),
    xgboost={"n_estimators": 5, "max_depth": 3, "learning_rate": 0.3},
    tuning=Tuning(trials=3, folds=2, keep=("n_estimators",)),
    fairness=Fairness(groups=("sex",), reference={"sex": "m"}, auc_loss=0.02),
)


def people(rows: int = 900) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Sexes, log-odds in which women seem riskier, and outcomes."""
    rng = np.random.default_rng(0)
    beside = pd.DataFrame({"sex": rng.choice(np.array(["f", "m"], dtype=object), rows)})
    x = rng.normal(-1, 1, rows) + 0.5 * (beside["sex"] == "f").to_numpy()
    return beside, x, (rng.random(rows) < expit(x)).astype(float)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("repeated", [1, 3])
def test_a_trial_s_figures_are_those_of_its_rows_at_one_share(weighted: bool, repeated: int) -> None:
    beside, x, y = people()
    w = np.random.default_rng(1).uniform(0.5, 2, len(x)) if weighted else None
    judge = Judge.of(SETTINGS, beside, np.arange(len(x)), w)
    log_odds, target = np.tile(x, repeated), np.tile(y, repeated)
    figures = judge.figures(target, log_odds)
    assert figures is not None
    mass = np.tile(np.ones(len(x)) if w is None else w, repeated)
    order = np.argsort(log_odds, kind="stable")
    reached = np.cumsum(mass[order]) / mass.sum()
    approved = log_odds <= log_odds[order][np.argmax(reached >= 0.8 - 1e-9)]
    sex = np.tile(beside["sex"].to_numpy(), repeated)
    rate = {its: np.average(approved[sex == its], weights=mass[sex == its]) for its in ("f", "m")}
    assert figures["ratio"] == pytest.approx(rate["f"] / rate["m"])
    assert figures["roc_auc"] == pytest.approx(roc_auc_score(target, log_odds, sample_weight=mass))
    assert figures["group"] == "sex: f"


def test_with_a_cut_off_the_share_is_that_of_the_first_trial() -> None:
    beside, x, y = people()
    its = replace(SETTINGS, fairness=replace(SETTINGS.fairness, cutoff=560.0))
    judge = Judge.of(its, beside, np.arange(len(x)), None)
    judge.take_share_of(x)
    scores = np.array(SETTINGS.score.scores(expit(x).tolist()))
    assert judge.approved == np.mean(scores >= 560.0)
    figures = judge.figures(y, x + 3)  # a model that is off approves as many
    assert figures is not None
    assert figures["ratio"] == judge.figures(y, x)["ratio"]  # type: ignore[index]


def test_groups_of_too_few_rows_are_not_compared() -> None:
    beside, x, y = people()
    beside.loc[20:, "sex"] = "m"
    assert Judge.of(SETTINGS, beside, np.arange(len(x)), None).figures(y, x) is None


def trial(number: int, judge: Judge, roc_auc: float, ratio: float, **other: object) -> FrozenTrial:
    its = {
        "made_with": judge.made_with,
        "approved": judge.approved,
        "roc_auc": roc_auc,
        "ratio": ratio,
        "group": "sex: f",
    }
    made = create_trial(value=1.0, user_attrs={ATTRIBUTE: its | other})
    made.number = number
    return made


def test_trials_within_the_loss_that_none_surpasses_are_kept() -> None:
    beside, x, _ = people()
    judge = Judge.of(SETTINGS, beside, np.arange(len(x)), None)
    pruned = create_trial(state=TrialState.PRUNED)
    pruned.number = 7
    trials = [
        trial(0, judge, 0.80, 0.70),
        trial(1, judge, 0.795, 0.75),
        trial(2, judge, 0.79, 0.74),  # trial 1 is better in both
        trial(3, judge, 0.785, 0.90),
        trial(4, judge, 0.779, 0.99),  # loses too much
        trial(5, judge, 0.80, 0.95, made_with="other groups"),
        create_trial(value=1.0),  # of a search without groups
        pruned,
    ]
    found = frontier(trials, judge, chosen=0)
    assert found is not None
    assert [its["trial"] for its in found["trials"]] == [0, 1, 2, 3, 4]
    assert [its["trial"] for its in found["trials"] if its["kept"]] == [0, 1, 3]
    assert frontier(trials, judge, chosen=6) is None


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    frame, target = draw(500)
    file = tmp_path_factory.mktemp("data") / "table.csv"
    frame.assign(default=target, sex=np.random.default_rng(0).choice(["f", "m"], 500)).to_csv(file, index=False)
    return read_table(replace(SETTINGS, data=replace(SETTINGS.data, file=str(file))).schema)


def searched(table: Table, file: Path, settings: Settings = SETTINGS, trials: int = 3) -> SearchRecord:
    its = replace(settings, tuning=replace(settings.tuning, trials=trials))
    return tuning.search(its, table, np.arange(400), file, Progress(quiet=True)).record


def test_groups_change_no_trial_and_a_search_that_resumes_judges_alike(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "MOST_DRAWS", 1)
    its = searched(table, tmp_path / "with.study")
    without = searched(replace(table, beside=None), tmp_path / "without.study", replace(SETTINGS, fairness=Fairness()))
    assert its["history"] == without["history"]
    assert "frontier" not in without
    assert len(its["frontier"]["trials"]) == 3 - its["pruned"]
    searched(table, tmp_path / "resumed.study", trials=1)
    assert searched(table, tmp_path / "resumed.study")["frontier"] == its["frontier"]
    # Trials of a search without groups say nothing of them.
    assert "frontier" not in searched(table, tmp_path / "without.study")
