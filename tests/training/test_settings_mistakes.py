"""Mistakes in a TOML: each is one line. `@` stands for MINIMAL."""

from pathlib import Path

import pytest

from cli.errors import UserError
from cli.words import nearest
from tests.training.settings_read import MINIMAL, mistake_in, mistake_in_flags

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
    (
        f"[evaluation]\nthreshold = {'[' * 10_000}",
        "not valid TOML: lists or tables in each other, too deep to read; correct it there",
    ),
    (
        f"[evaluation]\nthreshold = 1{'0' * 5_000}",
        "not valid TOML: a number of thousands of digits; correct it there",
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_mistake_in_the_file_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    assert mistake_in(tmp_path, text.replace("@", MINIMAL)) == f"settings.toml: {message}"


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
