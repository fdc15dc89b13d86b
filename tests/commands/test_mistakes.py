"""Every mistake of a user is one clear line of the command."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from export import to_onnx, verify
from tests.commands.running import command, mistake, wrong
from training import run

pytestmark = pytest.mark.tier("land")


def test_mistakes_in_the_table_end_with_one_line(table: Path, capsys: Any) -> None:
    frame = pd.read_csv(table / "table.csv")
    file = table / "table.csv"

    def told(changed: "pd.DataFrame | str | bytes") -> str:
        if isinstance(changed, pd.DataFrame):
            changed.to_csv(file, index=False)
        else:
            file.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
        return mistake(capsys, 1, run.main, *wrong(table))

    assert "is empty" in told("")
    assert "has a header and no rows" in told(frame.head(0))
    assert "no column age" in told(frame.drop(columns="age"))
    assert "expected two values, found only: 0" in told(frame.assign(default=0))
    with_text = frame.astype({"age": object})
    with_text.loc[6, "age"] = "old"
    said = told(with_text)
    assert "age" in said
    assert "line 8" in said
    assert "old" in said
    negative = frame.copy()
    negative.loc[3, "income"] = -2.0
    assert "income" in told(negative)
    assert not (table / "artifacts").exists()
    assert sorted(path.name for path in table.iterdir()) == ["settings.toml", "table.csv"]


def test_a_parquet_file_cut_short_is_refused(table: Path, capsys: Any) -> None:
    pd.read_csv(table / "table.csv").to_parquet(table / "t.parquet")
    whole = (table / "t.parquet").read_bytes()
    (table / "t.parquet").write_bytes(whole[: len(whole) // 2])
    assert "t.parquet" in mistake(capsys, 1, run.main, *wrong(table, "--data", table / "t.parquet"))


def test_mistakes_in_the_settings_end_with_status_2(table: Path, capsys: Any) -> None:
    toml = (table / "settings.toml").read_text()
    (table / "settings.toml").write_text(toml + "\n[modle]\nfolds = 3\n")
    assert "model" in mistake(capsys, 2, run.main, *wrong(table))
    (table / "settings.toml").write_text(toml + "\n[model]\nfolds = 1\n")
    assert "folds" in mistake(capsys, 2, run.main, *wrong(table))
    assert "no such file" in mistake(capsys, 2, run.main, "--config", table / "other.toml")
    with pytest.raises(SystemExit) as stopped:
        run.main(["--fold", "3"])
    assert stopped.value.code == 2


def test_a_folder_of_other_files_is_not_replaced(table: Path, capsys: Any) -> None:
    (table / "artifacts").mkdir()
    (table / "artifacts/thesis.txt").write_text("years of work")
    assert "expected a new folder or one of an earlier run" in mistake(capsys, 1, run.main, *wrong(table))
    assert (table / "artifacts/thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("main", [run.main, to_onnx.main, verify.main])
def test_a_wrong_flag_is_one_line_with_the_nearest(main: Any, capsys: Any) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--quite"])
    assert stopped.value.code == 2
    assert (
        capsys.readouterr()
        .err.splitlines()[0]
        .endswith("unknown flag --quite; did you mean --quiet? (--help lists the flags)")
    )


@pytest.mark.parametrize("module", ["training.run", "export.to_onnx", "export.verify", "runtime.ask", "runtime.local"])
def test_every_command_has_help(module: str) -> None:
    said = command(module, "--help")
    assert said.returncode == 0
    assert f"python -m {module}" in said.stdout
