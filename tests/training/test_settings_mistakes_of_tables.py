"""Mistakes in [data], [features] and [row_max]: each is one line. `@` stands for MINIMAL."""

from pathlib import Path

import pytest

from tests.training.settings_read import MINIMAL, mistake_in

MISTAKES = [
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
        "row_max.worst: a has log1p, which a row maximum cannot have; leave out one of the two",
    ),
    (
        '[data]\nid = "key"\n[features]\nuuid = "category"',
        "features.uuid: is how every request names itself; give the column another name in the table",
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_mistake_in_the_table_s_settings_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    assert mistake_in(tmp_path, text.replace("@", MINIMAL)) == f"settings.toml: {message}"
