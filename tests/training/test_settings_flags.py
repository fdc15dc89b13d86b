"""Settings by flags, which go before the TOML."""

import shlex
from dataclasses import fields
from pathlib import Path

import pytest

from cli.errors import UserError
from runtime.score import Scale
from tests.training.settings_read import MINIMAL, from_flags, from_toml
from training.options import build_parser, out_folder
from training.settings import (
    Data,
    Evaluation,
    Feature,
    Model,
    Settings,
    Split,
)


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


def test_a_column_that_a_flag_names_twice_has_both_lists() -> None:
    settings = from_flags("--exclude desk=trial --exclude year=2009 --exclude desk=staff,")
    assert settings.data.exclude == {"desk": ("trial", "staff", ""), "year": ("2009",)}


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


@pytest.mark.parametrize("table", ["row_max", "reason_groups"])
def test_selection_leaves_a_group_that_is_no_list_to_be_refused(table: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf'{table}\.worst: expected a list of texts, got "age"'):
        from_toml(tmp_path, f"{MINIMAL}[{table}]\nworst = 'age'\n", {"features": ("age",)})


def test_the_out_folder_is_not_a_file(tmp_path: Path) -> None:
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
        ("--folds three", "argument --folds: expected a whole number, got 'three'"),
        ("--test-size 'a quarter'", "argument --test-size: expected a number, got 'a quarter'"),
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
        (
            f"--vocabulary a={'[' * 10_000}",
            f'argument --vocabulary: expected a JSON list of texts as in ["a", "b, c"], got {"[" * 10_000}',
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
