"""Settings: defaults, TOML, and what survives a round trip."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from runtime.score import Scale
from tests.training.settings_read import MINIMAL, from_toml
from training.settings import (
    Costs,
    Data,
    Evaluation,
    Feature,
    Model,
    Settings,
    Split,
    Tuning,
    load_settings,
    settings_as_dict,
    settings_as_toml,
    settings_from_dict,
)

EXAMPLES = Path(__file__).parents[2] / "examples"
REFERENCE_REQUEST = [
    "max_paid_inv_0_24m",
    "avg_payment_span_0_12m",
    "sum_capital_paid_account_0_12m",
    "time_hours",
    "recovery_debt",
    "sum_capital_paid_account_12_24m",
    "num_active_div_by_paid_inv_0_12m",
    "sum_paid_inv_0_12m",
    "account_days_in_rem_12_24m",
    "num_arch_ok_0_12m",
    "account_amount_added_12_24m",
    "has_paid",
    "account_status",
    "account_worst_status_0_3m",
    "account_worst_status_3_6m",
    "account_worst_status_6_12m",
    "account_worst_status_12_24m",
    "status_last_archived_0_24m",
    "status_2nd_last_archived_0_24m",
    "status_3rd_last_archived_0_24m",
    "status_max_archived_0_6_months",
    "status_max_archived_0_12_months",
    "status_max_archived_0_24_months",
    "merchant_group",
]


def test_defaults_are_the_reference_system() -> None:
    settings = load_settings(None, {})
    assert settings == Settings()
    assert [feature.name for feature in settings.features] == REFERENCE_REQUEST
    types = {feature.name: feature.type for feature in settings.features}
    assert {name for name, type_ in types.items() if type_ != "number"} == {"has_paid", "merchant_group"}
    assert (types["has_paid"], types["merchant_group"]) == ("boolean", "category")
    logged = [feature.name for feature in settings.features if feature.log1p]
    assert logged == ["max_paid_inv_0_24m", "sum_capital_paid_account_0_12m"]
    assert settings.row_max == {"account_worst_status_max_0_24m": tuple(REFERENCE_REQUEST[13:17])}
    assert settings.xgboost == {
        "n_estimators": 200,
        "max_depth": 4,
        "min_child_weight": 5,
        "gamma": 1.5,
        "learning_rate": 0.026826957952797246,
        "subsample": 1,
        "colsample_bytree": 1,
    }
    assert (settings.data, settings.split, settings.model) == (Data(), Split(0.25, 99), Model())
    assert settings.score == Scale()


def test_a_file_may_set_everything(tmp_path: Path) -> None:
    settings = from_toml(
        tmp_path,
        """
        [data]
        file = "rows.csv"
        separator = "\\t"
        id = "number"
        target = "class"
        positive = 1
        [features]
        amount = { type = "number", log1p = true, description = "euros" }
        late_1 = "number"
        late_2 = "number"
        purpose = { type = "category", vocabulary = ["car", "none"] }
        owner = "boolean"
        [row_max]
        late = ["late_1", "late_2"]
        [split]
        test_size = 0.5
        seed = 0
        [model]
        estimator = "calibrated-cv"
        calibration = "isotonic"
        calibrate_on = "probability"
        folds = 2
        ensemble = false
        [xgboost]
        n_estimators = 10
        gamma = 0
        tree_method = "hist"
        monotone_constraints = { amount = -1, late = 1 }
        [score]
        points = 500
        odds = 30
        points_to_double = 40
        probability_limits = [0.001, 0.999]
        [evaluation]
        threshold = 0.2
        plots = false
        """,
    )
    assert settings == Settings(
        data=Data(str(tmp_path / "rows.csv"), "\t", "number", "class", ("1",)),
        features=(
            Feature("amount", "number", log1p=True, description="euros"),
            Feature("late_1", "number"),
            Feature("late_2", "number"),
            Feature("purpose", "category", vocabulary=("car", "none")),
            Feature("owner", "boolean"),
        ),
        row_max={"late": ("late_1", "late_2")},
        split=Split(0.5, 0),
        model=Model("calibrated-cv", "isotonic", "probability", 2, ensemble=False),
        xgboost={
            **Settings().xgboost,
            "n_estimators": 10,
            "gamma": 0.0,
            "tree_method": "hist",
            "monotone_constraints": {"amount": -1, "late": 1},
        },
        score=Scale(500, 30, 40, (0.001, 0.999)),
        evaluation=Evaluation(0.2, plots=False),
    )


def test_own_features_have_none_of_the_reference_groups(tmp_path: Path) -> None:
    assert from_toml(tmp_path, MINIMAL).row_max == {}
    assert from_toml(tmp_path, "[row_max]\n").row_max == {}
    assert from_toml(tmp_path, "[split]\nseed = 1\n").row_max == Settings().row_max


def test_an_empty_id_is_no_id(tmp_path: Path) -> None:
    assert from_toml(tmp_path, '[data]\nid = ""\n').data.id is None


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path: Path) -> None:
    assert from_toml(tmp_path, "\ufeff[split]\r\nseed = 1\r\n").split.seed == 1


@pytest.mark.parametrize(("example", "categories"), [("german_credit", 13), ("lending_club", 5)])
def test_examples_are_read(example: str, categories: int) -> None:
    settings = load_settings(EXAMPLES / example / "settings.toml", {})
    assert sum(feature.type == "category" for feature in settings.features) == categories
    assert (settings.data.id, settings.data.positive) == (None, ("bad",))
    assert Path(settings.data.file or "").is_file()


names_strategy = st.text(min_size=1, max_size=8)
plain_numbers = st.floats(-1e6, 1e6)
shares = st.floats(0, 1, exclude_min=True, exclude_max=True)


@st.composite
def settings_strategy(draw: st.DrawFn) -> Settings:
    """Settings that contradict nothing: names are drawn once and dealt out."""
    names = draw(st.lists(names_strategy, min_size=6, max_size=12, unique=True))
    id_, target, group, first, second, *rest = names
    features = [Feature(first, "number"), Feature(second, "number", description=draw(st.text(max_size=5)))]
    for name in rest:
        match draw(st.sampled_from(["number", "boolean", "category"])):
            case "number":
                features.append(Feature(name, "number", log1p=draw(st.booleans())))
            case "boolean":
                features.append(Feature(name, "boolean"))
            case _:
                levels = draw(
                    st.lists(names_strategy.filter(lambda text: text == text.strip()), max_size=3, unique=True)
                )
                features.append(Feature(name, "category", vocabulary=tuple(levels)))
    calibrated_cv = draw(st.booleans())
    limits = sorted(draw(st.lists(shares, min_size=2, max_size=2, unique=True)))
    return Settings(
        data=Data(
            file=draw(st.none() | names_strategy),
            separator=draw(st.none() | st.sampled_from(";,|\t")),
            id=draw(st.none() | st.just(id_)),
            target=target,
            positive=(draw(names_strategy),),
        ),
        features=tuple(draw(st.permutations(features))),
        row_max=draw(st.sampled_from([{}, {group: (first, second)}, {group: (second,)}])),
        split=Split(draw(shares), draw(st.integers(0, 2**32 - 1))),
        model=Model(
            estimator="calibrated-cv" if calibrated_cv else "cross-fit",
            calibration=draw(st.sampled_from(["sigmoid", "isotonic"] + ["none"] * (not calibrated_cv))),
            calibrate_on=draw(st.sampled_from(["margin", "probability"])) if calibrated_cv else "margin",
            folds=draw(st.integers(2, 20)),
            ensemble=draw(st.booleans()) if calibrated_cv else True,
        ),
        xgboost={
            **Settings().xgboost,
            "n_estimators": draw(st.integers(1, 500)),
            "base_score": draw(shares),
            "reg_lambda": draw(st.floats(0, 100)),
            "grow_policy": draw(st.sampled_from(["depthwise", "lossguide"])),
            "monotone_constraints": draw(
                st.sampled_from([{}, {f.name: 1 for f in features[2:] if f.type == "number"}])
            ),
        },
        score=Scale(draw(plain_numbers), draw(st.floats(0.1, 1e4)), draw(st.floats(0.1, 1e4)), (limits[0], limits[1])),
        evaluation=Evaluation(draw(shares), draw(st.booleans())),
    )


@given(settings_strategy())
def test_settings_survive_json(settings: Settings) -> None:
    assert settings_from_dict(json.loads(json.dumps(settings_as_dict(settings)))) == settings


@given(settings_strategy(), st.booleans())
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_settings_survive_toml(tmp_path: Path, settings: Settings, searched: bool) -> None:
    """From another folder, and after a search as after none."""
    number = next((feature.name for feature in settings.features if feature.type == "number"), None)
    settings = replace(
        settings,
        tuning=Tuning(trials=7 if searched else 0, study="a.study", keep=("gamma",)),
        costs=Costs(gain=0.1, loss=0.5, amount=number) if searched else Costs(),
        split=Split(0.5, 7, "time", number, "7") if searched else settings.split,
    )
    file = tmp_path / "deeper" / "settings.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(settings_as_toml(settings).encode())
    repeated = load_settings(file, {})
    data = settings.data
    if data.file is not None and not data.file.startswith("s3://"):
        data = replace(data, file=str(Path.cwd() / data.file))
    assert repeated == replace(settings, data=data, tuning=replace(settings.tuning, trials=0))


def test_a_file_in_s3_stays_there_in_toml(tmp_path: Path) -> None:
    settings = Settings(data=Data(file="s3://bucket/loans.csv", id=None))
    (tmp_path / "settings.toml").write_text(settings_as_toml(settings))
    assert load_settings(tmp_path / "settings.toml", {}) == settings


@given(st.data())
def test_selecting_features_leaves_consistent_settings(data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.sampled_from(REFERENCE_REQUEST), min_size=1, unique=True))
    settings = load_settings(None, {"features": kept})
    assert [feature.name for feature in settings.features] == kept
    worst = tuple(name for name in REFERENCE_REQUEST if name in kept and name.startswith("account_worst"))
    assert settings.row_max == ({"account_worst_status_max_0_24m": worst} if worst else {})
