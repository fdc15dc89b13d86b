"""The settings: defaults, TOML, flags, and the line that each mistake is told in."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cli.errors import UserError
from cli.words import nearest
from runtime.score import Scale
from training.options import build_parser, out_folder, settings_from
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
MINIMAL = '[features]\nage = "number"\npurpose = "category"\nowner = "boolean"\n'
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


def from_toml(folder: Path, text: str, flags: Mapping[str, object] | None = None) -> Settings:
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, flags or {})


def mistake_in(folder: Path, text: str) -> str:
    with pytest.raises(UserError) as caught:
        from_toml(folder, text)
    assert caught.value.exit_status == 2
    return str(caught.value).removeprefix(f"{folder}/")


def from_flags(line: str) -> Settings:
    return settings_from(build_parser().parse_args(shlex.split(line)))


def mistake_in_flags(line: str) -> str:
    with pytest.raises(UserError) as caught:
        from_flags(line)
    assert caught.value.exit_status == 2
    return str(caught.value)


# ---------------------------------------------------------------- defaults and files


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


def test_a_file_that_sets_everything(tmp_path: Path) -> None:
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


# ---------------------------------------------------------------- properties

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


# ---------------------------------------------------------------- flags


@pytest.mark.parametrize(
    ("line", "table", "expected"),
    [
        ("--data rows.csv", "data", Data(file="rows.csv")),
        ("--target class --positive bad --id ''", "data", Data(id=None, target="class", positive=("bad",))),
        ("--separator '|'", "data", Data(separator="|")),
        (
            "--positive bad,late --negative '[\"ok, paid\"]' --exclude desk=trial,staff --exclude year=2009",
            "data",
            Data(
                positive=("bad", "late"),
                negative=("ok, paid",),
                exclude={"desk": ("trial", "staff"), "year": ("2009",)},
            ),
        ),
        (
            "--missing n/a,-9 --encoding cp1252 --decimal , --thousands . --normalization NFC",
            "data",
            Data(missing=("n/a", "-9"), encoding="cp1252", decimal=",", thousands=".", normalization="NFC"),
        ),
        ("--separator tab", "data", Data(separator="\t")),
        ("--test-size 0.5 --seed 7", "split", Split(0.5, 7)),
        ("--calibration isotonic --folds 4", "model", Model(calibration="isotonic", folds=4)),
        (
            "--estimator calibrated-cv --calibrate-on probability --no-ensemble",
            "model",
            Model("calibrated-cv", calibrate_on="probability", ensemble=False),
        ),
        ("--threshold 0.1 --no-plots", "evaluation", Evaluation(0.1, plots=False)),
        ("--points 500 --odds 20 --points-to-double 50", "score", Scale(500, 20, 50)),
        ("--probability-limits 0.01,0.99", "score", Scale(probability_limits=(0.01, 0.99))),
        ("--row-max account_worst_status_max_0_24m=", "row_max", {}),
        (
            "--row-max a=time_hours,recovery_debt",
            "row_max",
            {**Settings().row_max, "a": ("time_hours", "recovery_debt")},
        ),
    ],
)
def test_flags_set_values(line: str, table: str, expected: object) -> None:
    settings = from_flags(line)
    assert getattr(settings, table) == expected
    rest = (field.name for field in fields(Settings) if field.name != table)
    assert all(getattr(settings, name) == getattr(Settings(), name) for name in rest)


def test_every_xgboost_parameter_has_a_flag() -> None:
    line = (
        "--n-estimators 5 --max-depth 2 --learning-rate 0.5 --min-child-weight 0 --gamma 0 --subsample 0.9 "
        "--colsample-bytree 0.8 --xgboost max_bin=64 --xgboost tree_method=hist "
        "--xgboost 'monotone_constraints={\"time_hours\": -1}'"
    )
    assert from_flags(line).xgboost == {
        "n_estimators": 5,
        "max_depth": 2,
        "learning_rate": 0.5,
        "min_child_weight": 0,
        "gamma": 0,
        "subsample": 0.9,
        "colsample_bytree": 0.8,
        "max_bin": 64,
        "tree_method": "hist",
        "monotone_constraints": {"time_hours": -1},
    }


def test_log1p_flag_names_all_logged_features() -> None:
    assert [f.name for f in from_flags("--log1p time_hours").features if f.log1p] == ["time_hours"]
    assert [f.name for f in from_flags("--log1p ''").features if f.log1p] == []


def test_every_scalar_setting_has_a_flag() -> None:
    destinations = {action.dest for action in build_parser()._actions}
    settings = Settings()
    for table in ("data", "split", "model", "evaluation"):
        assert {f"{table}.{field.name}" for field in fields(getattr(settings, table))} <= destinations
    assert {f"score.{name}" for name in settings.score._fields} <= destinations


def test_features_declared_by_flags_replace_the_reference() -> None:
    line = '--numbers a,b --booleans c --categories d --log1p b --vocabulary \'d=["x", "y, z"]\''
    settings = from_flags(line)
    assert settings.features == (
        Feature("a", "number"),
        Feature("b", "number", log1p=True),
        Feature("c", "boolean"),
        Feature("d", "category", vocabulary=("x", "y, z")),
    )
    assert settings.row_max == {}


def test_flags_go_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(MINIMAL + "[split]\nseed = 1\n[data]\nfile = 'a.csv'\n")
    settings = from_flags(f"--config {tmp_path}/settings.toml --seed 2 --data b.csv --numbers income,purpose")
    assert (settings.split.seed, settings.data.file) == (2, "b.csv")
    assert [(feature.name, feature.type) for feature in settings.features] == [
        ("age", "number"),
        ("purpose", "number"),
        ("owner", "boolean"),
        ("income", "number"),
    ]


def test_selection_narrows_constraints(tmp_path: Path) -> None:
    text = MINIMAL + "[row_max]\nworst = ['age']\n[xgboost]\nmonotone_constraints = { worst = 1, owner = -1 }\n"
    settings = from_toml(tmp_path, text, {"features": ("owner",)})
    assert settings.xgboost["monotone_constraints"] == {"owner": -1}


def test_out_folder(tmp_path: Path) -> None:
    parser = build_parser()
    assert out_folder(parser.parse_args([])) == Path("artifacts")
    assert out_folder(parser.parse_args(["--out", str(tmp_path)])) == tmp_path
    (tmp_path / "file").touch()
    with pytest.raises(UserError) as caught:
        out_folder(parser.parse_args(["--out", str(tmp_path / "file")]))
    assert str(caught.value) == f"--out: expected a folder, got the file {tmp_path}/file; name another"
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--tset-size 0.3", "unknown flag --tset-size; did you mean --test-size?"),
        ("--zzz=3", "unknown flag --zzz"),
        ("stray", "unexpected argument stray"),
        ("--folds three", "argument --folds: invalid int value: 'three'"),
        ("--row-max worst", "argument --row-max: expected NAME=A,B, got worst"),
        ("--xgboost max_bin", "argument --xgboost: expected NAME=VALUE, got max_bin"),
        (
            "--probability-limits low",
            "argument --probability-limits: expected LOW,HIGH as in 1e-08,0.99999999, got low",
        ),
        (
            "--vocabulary 'a=[1]'",
            'argument --vocabulary: expected a JSON list of texts as in ["a", "b, c"], got [1]',
        ),
    ],
)
def test_wrong_usage_is_one_line(line: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        build_parser().parse_args(shlex.split(line))
    assert caught.value.code == 2
    assert capsys.readouterr().err == f"python -m training.run: {message} (--help lists the flags)\n"


def test_help_names_every_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        build_parser().parse_args(["--help"])
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for part in ("default 0.25", "default 99", "default 200", "default 'uuid'", "Exit status"):
        assert part in text


# ---------------------------------------------------------------- mistakes; `@` stands for MINIMAL

MISTAKES = [
    (
        "[split",
        "not valid TOML: Expected ']' at the end of a table declaration (at end of document); correct it there",
    ),
    (
        "[modle]",
        "modle: unknown table; did you mean model?",
    ),
    (
        "split = 3",
        "split: expected a table, [split], got 3",
    ),
    (
        "[split]\ntest_sise = 0.3",
        "split.test_sise: unknown key; did you mean test_size?",
    ),
    (
        "[split]\nfoo = 0.3",
        "split.foo: unknown key; known here: group, method, seed, test_from, test_size, time, time_format",
    ),
    (
        '[split]\ntest_size = "a quarter"',
        'split.test_size: expected a number above 0 and below 1, got "a quarter"; for example test_size = 0.25',
    ),
    (
        "[split]\ntest_size = 1.0",
        "split.test_size: expected a number above 0 and below 1, got 1.0; for example test_size = 0.25",
    ),
    (
        "[split]\ntest_size = nan",
        "split.test_size: expected a number above 0 and below 1, got nan; for example test_size = 0.25",
    ),
    (
        "[split]\nseed = -1",
        "split.seed: expected a whole number from 0 to 4294967295, got -1; for example seed = 99",
    ),
    (
        "[split]\nseed = 1.5",
        "split.seed: expected a whole number from 0 to 4294967295, got 1.5; for example seed = 99",
    ),
    (
        "[split]\nseed = true",
        "split.seed: expected a whole number from 0 to 4294967295, got true; for example seed = 99",
    ),
    (
        "[data]\nfile = 3",
        'data.file: expected text that is not empty, got 3; for example file = "loans.csv"',
    ),
    (
        '[data]\nfile = ""',
        'data.file: expected text that is not empty, got ""; for example file = "loans.csv"',
    ),
    (
        '[data]\nseparator = ";;"',
        'data.separator: expected one character, got ";;"; leave it out to have it detected',
    ),
    (
        '[data]\ntarget = ""',
        'data.target: expected text that is not empty, got ""; for example target = "default"',
    ),
    (
        "[data]\npositive = [[1]]",
        "data.positive: expected text, a number, true or false, or a list of them, got [[1]]; "
        'for example positive = ["1"]',
    ),
    (
        "[data]\nid = 2020-01-01",
        'data.id: expected text, got "2020-01-01"; for example id = "uuid"',
    ),
    (
        "[features]",
        'features: expected at least one feature, got none; for example age = "number"',
    ),
    (
        "[features]\nage = 3",
        'features.age: expected a type or a table with one, got 3; for example age = "number"',
    ),
    (
        '[features]\nage = "numeric"',
        'features.age.type: expected "number" or "boolean" or "category", got "numeric"; for example type = "number"',
    ),
    (
        "[features]\nage = { log1p = true }",
        'features.age: expected a type or a table with one, got { log1p = true }; for example age = "number"',
    ),
    (
        '[features]\nage = { type = "number", log1 = true }',
        "features.age.log1: unknown key; did you mean log1p?",
    ),
    (
        '[features]\nage = { type = "number", log1p = 1 }',
        "features.age.log1p: expected true or false, got 1; for example log1p = false",
    ),
    (
        '[features]\n"" = "number"',
        'features: expected the name of a column, got ""',
    ),
    (
        '[features]\na = { type = "category", vocabulary = "x" }',
        'features.a.vocabulary: expected a list of texts, got "x"; for example vocabulary = ["a", "b"]',
    ),
    (
        '[features]\na = { type = "category", vocabulary = ["x", 1] }',
        'features.a.vocabulary: expected a list of texts, got ["x", 1]; for example vocabulary = ["a", "b"]',
    ),
    (
        '[features]\na = { type = "category", vocabulary = ["x", "y", "x"] }',
        'features.a.vocabulary: "x" is listed 2 times; list it once',
    ),
    (
        '[features]\na = { type = "category", vocabulary = ["x", ""] }',
        'features.a.vocabulary: expected texts that are not empty, got ""; leave it out',
    ),
    (
        '[features]\na = { type = "number", vocabulary = ["x"] }',
        "features.a.vocabulary: needs a category feature, got a number; leave the vocabulary out",
    ),
    (
        '[features]\na = { type = "boolean", log1p = true }',
        "features.a.log1p: needs a number feature, got a boolean; leave log1p out",
    ),
    (
        '[features]\na = { type = "category", log1p = true }',
        "features.a.log1p: needs a number feature, got a category; leave log1p out",
    ),
    (
        '[features]\na = { type = "number", description = 1 }',
        'features.a.description: expected text, got 1; for example description = "euros"',
    ),
    (
        "@[data]\ntarget = 'age'",
        "features.age: is data.target, which a model must not see; take it out of the features",
    ),
    (
        "@[data]\nid = 'age'",
        "features.age: is data.id, which names rows; take it out of the features, or change data.id",
    ),
    (
        "[data]\nid = 'default'",
        'data.id: "default" is data.target too; name another column, or "" for none',
    ),
    (
        "@[row_max]\nworst = 'age'",
        'row_max.worst: expected a list of texts, got "age"; for example worst = ["late_1", "late_2"]',
    ),
    (
        "@[row_max]\nworst = []",
        "row_max.worst: expected at least one feature, got none; name one or leave the group out",
    ),
    (
        "@[row_max]\nworst = ['agee']",
        "row_max.worst: expected number features, got agee; did you mean age?",
    ),
    (
        "@[row_max]\nworst = ['owner']",
        "row_max.worst: expected number features, got owner, a boolean; leave it out",
    ),
    (
        "@[row_max]\nworst = ['age', 'age']",
        'row_max.worst: "age" is listed 2 times; list it once',
    ),
    (
        "@[row_max]\none = ['age']\ntwo = ['age']",
        "row_max.two: age is in row_max.one already; keep it in one group",
    ),
    (
        "@[row_max]\nage = ['age']",
        "row_max.age: is the name of a feature; give the group a name of its own",
    ),
    (
        '[features]\na = { type = "number", log1p = true }\n[row_max]\nworst = ["a"]',
        "row_max.worst: a has log1p, which a row maximum has no place for; take out one of the two",
    ),
    (
        "[model]\nestimator = 'crossfit'",
        'model.estimator: expected "cross-fit" or "calibrated-cv", got "crossfit"; for example estimator = "cross-fit"',
    ),
    (
        "[model]\ncalibration = 'temperature'",
        'model.calibration: expected "auto" or "sigmoid" or "isotonic" or "none", got "temperature"; for '
        'example calibration = "auto"',
    ),
    (
        "[model]\nfolds = 1",
        "model.folds: expected a whole number of at least 2, got 1; for example folds = 10",
    ),
    (
        "[model]\nensemble = 'no'",
        'model.ensemble: expected true or false, got "no"; for example ensemble = true',
    ),
    (
        "[model]\nestimator = 'calibrated-cv'\ncalibration = 'none'",
        'model.calibration: "none" contradicts model.estimator = "calibrated-cv"; calibrate, or use "cross-fit"',
    ),
    (
        "[model]\nestimator = 'calibrated-cv'\n[xgboost]\nearly_stopping_rounds = 5",
        'xgboost.early_stopping_rounds: contradicts model.estimator = "calibrated-cv", which watches '
        'no rows; use "cross-fit"',
    ),
    (
        "[model]\ncalibrate_on = 'probability'",
        'model.calibrate_on: "probability" contradicts model.estimator = "cross-fit"; use "margin" or "calibrated-cv"',
    ),
    (
        "[model]\nensemble = false",
        'model.ensemble: false contradicts model.estimator = "cross-fit"; leave it out or use "calibrated-cv"',
    ),
    (
        '[data]\nid = "key"\n[features]\nuuid = "category"',
        "features.uuid: is how every request names itself; give the column another name in the table",
    ),
    (
        "[xgboost]\nbooster = 'dart'",
        'xgboost.booster: "dart" cannot be exported exactly: its score is no plain sum over trees; '
        'leave it out, or "gbtree"',
    ),
    (
        "[xgboost]\nbooster = 'gblinear'",
        'xgboost.booster: "gblinear" cannot be exported exactly: its score is no plain sum over '
        'trees; leave it out, or "gbtree"',
    ),
    (
        "[xgboost]\nnum_parallel_tree = 0",
        "xgboost.num_parallel_tree: expected a whole number from 1 to 1000, got 0; for example num_parallel_tree = 4",
    ),
    (
        "[xgboost]\nenable_categorical = true",
        "xgboost.enable_categorical: true cannot be exported exactly: splits on native categories "
        "have no counterpart in the graph; use category features; leave it out, or false",
    ),
    (
        "[xgboost]\nmissing = 0",
        "xgboost.missing: 0 cannot be exported exactly: missing is NaN, in training and in the graph; leave it out",
    ),
    (
        "[xgboost]\nobjective = 'multi:softprob'",
        'xgboost.objective: "multi:softprob" cannot be exported exactly: the model answers one '
        'probability, of default; leave it out, or "binary:logistic"',
    ),
    (
        "[xgboost]\nnum_class = 3",
        "xgboost.num_class: 3 cannot be exported exactly: there are two classes; leave it out",
    ),
    (
        "[xgboost]\neta = 0.1",
        "xgboost.eta: unknown key; it is called xgboost.learning_rate here",
    ),
    (
        "[xgboost]\nrandom_state = 1",
        "xgboost.random_state: unknown key; it is called split.seed here",
    ),
    (
        "[xgboost]\nmax_dept = 3",
        "xgboost.max_dept: unknown key; did you mean max_depth?",
    ),
    (
        "[xgboost]\nmax_depth = 101",
        "xgboost.max_depth: expected a whole number from 0 to 100, got 101; for example max_depth = 4",
    ),
    (
        "[xgboost]\nmax_depth = 0",
        "xgboost.max_depth: 0 (no limit) needs a max_leaves above 0; set it, or a depth of at least 1",
    ),
    (
        "[xgboost]\nmax_depth = 0\nmax_leaves = 8\ntree_method = 'exact'",
        'xgboost.max_depth: 0 (no limit) needs a tree_method other than "exact"; set it, or a depth of at least 1',
    ),
    (
        "[xgboost]\ntree_method = 'exact'\ngrow_policy = 'lossguide'",
        'xgboost.grow_policy: "lossguide" contradicts tree_method = "exact"; use "hist" or "approx"',
    ),
    (
        "[xgboost]\ntree_method = 'gpu_hist'",
        'xgboost.tree_method: expected "auto" or "exact" or "approx" or "hist", got "gpu_hist"; for '
        'example tree_method = "auto"',
    ),
    (
        "[xgboost]\nlearning_rate = 0",
        "xgboost.learning_rate: expected a number above 0 and of at most 1, got 0; for example learning_rate = 0.1",
    ),
    (
        "[xgboost]\nsubsample = 1.1",
        "xgboost.subsample: expected a number above 0 and of at most 1, got 1.1; for example subsample = 1.0",
    ),
    (
        "[xgboost]\nreg_alpha = -1",
        "xgboost.reg_alpha: expected a number of at least 0, got -1; for example reg_alpha = 1.0",
    ),
    (
        "[xgboost]\nbase_score = 1",
        "xgboost.base_score: expected a number above 0 and below 1, got 1; for example base_score = 0.5",
    ),
    (
        "[xgboost]\nscale_pos_weight = 0",
        "xgboost.scale_pos_weight: expected a number above 0, got 0; for example scale_pos_weight = 1.0",
    ),
    (
        "[xgboost]\nmonotone_constraints = [1, 0]",
        "xgboost.monotone_constraints: expected a table of features, each 1 (rising) or -1 "
        "(falling), got [1, 0]; for example monotone_constraints = { recovery_debt = 1 }",
    ),
    (
        "@[xgboost]\nmonotone_constraints = { age = 2 }",
        "xgboost.monotone_constraints: expected a table of features, each 1 (rising) or -1 "
        "(falling), got { age = 2 }; for example monotone_constraints = { recovery_debt = 1 }",
    ),
    (
        "@[xgboost]\nmonotone_constraints = { agee = 1 }",
        "xgboost.monotone_constraints.agee: no such feature; did you mean age?",
    ),
    (
        "@[xgboost]\nmonotone_constraints = { purpose = 1 }",
        "xgboost.monotone_constraints.purpose: a category has no order to rise or fall along; leave it out",
    ),
    (
        "[xgboost]\nmonotone_constraints = { account_worst_status_0_3m = 1 }",
        "xgboost.monotone_constraints.account_worst_status_0_3m: the model sees only its row "
        "maximum; constrain account_worst_status_max_0_24m instead",
    ),
    (
        "[score]\nodds = 0",
        "score.odds: expected a number above 0, got 0; for example odds = 50.0",
    ),
    (
        "[score]\npoints_to_double = -20",
        "score.points_to_double: expected a number above 0, got -20; for example points_to_double = 20.0",
    ),
    (
        "[score]\npoints = inf",
        "score.points: expected a number, got inf; for example points = 600.0",
    ),
    (
        "[score]\nprobability_limits = [0, 1]",
        "score.probability_limits: expected two numbers, lowest and highest, with 0 < lowest < "
        "highest < 1, got [0, 1]; for example probability_limits = [1e-08, 0.99999999]",
    ),
    (
        "[score]\nprobability_limits = 0.5",
        "score.probability_limits: expected two numbers, lowest and highest, with 0 < lowest < "
        "highest < 1, got 0.5; for example probability_limits = [1e-08, 0.99999999]",
    ),
    (
        "[evaluation]\nthreshold = 50",
        "evaluation.threshold: expected a number above 0 and below 1, got 50; for example threshold = 0.5",
    ),
    (
        "[evaluation]\nplots = 1",
        "evaluation.plots: expected true or false, got 1; for example plots = true",
    ),
    (
        f"[evaluation]\nthreshold = 1{'0' * 400}",
        "evaluation.threshold: expected a number above 0 and below 1, got "
        "10000000000000000000000000000000000000000000000000000000000…; for example threshold = 0.5",
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_mistake_in_the_file_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    assert mistake_in(tmp_path, text.replace("@", MINIMAL)) == f"settings.toml: {message}"


FLAG_MISTAKES = [
    (
        "--test-size 2",
        "command line: split.test_size: expected a number above 0 and below 1, got 2.0; for example test_size = 0.25",
    ),
    (
        "--features time_hours,agee",
        "command line: features: no feature agee is configured; known here: "
        "account_amount_added_12_24m, account_days_in_rem_12_24m, account_status, "
        "account_worst_status_0_3m, account_worst_status_12_24m, account_worst_status_3_6m, "
        "account_worst_status_6_12m, avg_payment_span_0_12m, has_paid, max_paid_inv_0_24m, "
        "merchant_group, num_active_div_by_paid_inv_0_12m and 12 more",
    ),
    (
        "--features ''",
        'command line: features: expected at least one feature, got none; for example age = "number"',
    ),
    (
        "--log1p has_paid",
        "command line: features.has_paid.log1p: needs a number feature, got a boolean; leave log1p out",
    ),
    (
        "--log1p tim_hours",
        "command line: log1p: no feature tim_hours is configured; did you mean time_hours?",
    ),
    (
        "--vocabulary has_paid=a",
        "command line: features.has_paid.vocabulary: needs a category feature, got a boolean; leave the vocabulary out",
    ),
    (
        "--vocabulary purpose=a",
        "command line: vocabulary: no feature purpose is configured; known here: "
        "account_amount_added_12_24m, account_days_in_rem_12_24m, account_status, "
        "account_worst_status_0_3m, account_worst_status_12_24m, account_worst_status_3_6m, "
        "account_worst_status_6_12m, avg_payment_span_0_12m, has_paid, max_paid_inv_0_24m, "
        "merchant_group, num_active_div_by_paid_inv_0_12m and 12 more",
    ),
    (
        "--vocabulary merchant_group=a,a",
        'command line: features.merchant_group.vocabulary: "a" is listed 2 times; list it once',
    ),
    (
        "--data ''",
        'command line: data.file: expected text that is not empty, got ""; for example file = "loans.csv"',
    ),
    (
        "--no-ensemble",
        'command line: model.ensemble: false contradicts model.estimator = "cross-fit"; leave it out '
        'or use "calibrated-cv"',
    ),
    (
        "--xgboost booster=dart",
        'command line: xgboost.booster: "dart" cannot be exported exactly: its score is no plain sum '
        'over trees; leave it out, or "gbtree"',
    ),
    (
        "--xgboost num_parallel_tree=true",
        "command line: xgboost.num_parallel_tree: expected a whole number from 1 to 1000, got true; for example "
        "num_parallel_tree = 4",
    ),
    (
        "--xgboost max_bin=many",
        'command line: xgboost.max_bin: expected a whole number from 2 to 65536, got "many"; for example max_bin = 256',
    ),
    (
        "--row-max worst=time_hour",
        "command line: row_max.worst: expected number features, got time_hour; did you mean time_hours?",
    ),
    (
        "--numbers a --features b",
        "command line: features: no feature b is configured; known here: a",
    ),
    (
        "--separator ab",
        'command line: data.separator: expected one character, got "ab"; leave it out to have it detected',
    ),
    (
        "--numbers a --target a",
        "command line: features.a: is data.target, which a model must not see; take it out of the features",
    ),
]


@pytest.mark.parametrize(("line", "message"), FLAG_MISTAKES)
def test_a_mistake_in_flags_is_one_line(line: str, message: str) -> None:
    assert mistake_in_flags(line) == message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").touch()
    remedy = "give --config an existing TOML file"
    assert mistake_in_flags(f"--config {tmp_path}/setings.toml") == (
        f"{tmp_path}/setings.toml: no such file (did you mean {tmp_path}/settings.toml?); {remedy}"
    )
    assert mistake_in_flags(f"--config {tmp_path}/other") == f"{tmp_path}/other: no such file; {remedy}"
    assert mistake_in_flags(f"--config {tmp_path}/no/s.toml") == (
        f"{tmp_path}/no/s.toml: no such file (and no folder {tmp_path}/no); {remedy}"
    )
    assert mistake_in_flags(f"--config {tmp_path}") == (
        f"{tmp_path}: expected a TOML file, got a folder; give --config the file in it"
    )


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_bytes(b"[data]\nfile = '\xff'")
    assert mistake_in_flags(f"--config {tmp_path}/s.toml") == (
        f"{tmp_path}/s.toml: not UTF-8 text (byte 16); save it as UTF-8"
    )


def test_the_message_of_an_error_is_one_line() -> None:
    error = UserError("two\nlines")
    assert (str(error), error.exit_status) == ("two lines", 1)


def test_the_nearest_name_minds_no_case() -> None:
    assert nearest("Target", ["target", "id"]) == "target"
    assert nearest("creditibility", ["creditability", "housing"]) == "creditability"
    assert nearest("x", ["creditability"]) is None
