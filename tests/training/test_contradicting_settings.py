"""Settings that are each right and contradict one another: one line that names the one to change. `@` is MINIMAL."""

from pathlib import Path

import pytest

from tests.training.settings_read import MINIMAL, from_toml, mistake_in

AGE = "[reason_texts.age]\ntext = 'age'\n"
PURPOSE = "[features]\nage = 'number'\npurpose = { type = 'category', vocabulary = ['car', 'house'] }\n"
SHOP = "[features]\nshop = {{ type = 'category', vocabulary = ['{}'] }}\n"
CONTRADICTIONS = [
    (
        SHOP.format(" a"),
        'features.shop.vocabulary: " a" has blanks around it; leave them out',
    ),
    (
        "[data]\nnormalization = 'NFC'\n" + SHOP.format("cafe\N{COMBINING ACUTE ACCENT}"),
        'features.shop.vocabulary: "cafe\N{COMBINING ACUTE ACCENT}" is not in data.normalization; write it so',
    ),
    (
        "@[data]\ndecimal = ','\nthousands = ','",
        'data.thousands: "," is data.decimal too; set data.decimal to "."',
    ),
    (
        "[features]\nshop = { type = 'category', vocabulary = ['a'], rare = 10 }",
        "features.shop.rare: pools learnt levels, and a vocabulary is given, which stays as it is; leave out one",
    ),
    (
        "[features]\nage = { type = 'number', rare = 10 }",
        "features.age.rare: needs a category feature, got a number; leave it out",
    ),
    (
        "@[grades]\nlimits = [0.01, 0.1]\ncount = 3",
        "grades.count: contradicts grades.limits, which make the grades already; leave out one of the two",
    ),
    (
        "@[grades]\nnames = ['A', 'B']",
        "grades.names: needs grades; set grades.limits or grades.count",
    ),
    (
        "@[grades]\nlimits = [0.01, 0.1]\nnames = ['A', 'B']",
        "grades.names: expected 3 names, one per grade, got 2",
    ),
    (
        "@[data]\ntarget = 'bad'\nweight = 'bad'",
        'data.weight: "bad" is data.target too; name another column',
    ),
    (
        "@[data]\nweight = 'age'",
        "features.age: is data.weight, which no request has; take it out of the features",
    ),
    (
        "@[split]\nmethod = 'time'",
        'split.time: split.method = "time" needs the column with each applicant\'s time; name it',
    ),
    (
        "@[split]\nmethod = 'group'",
        'split.group: split.method = "group" needs the column that names the groups; name it',
    ),
    (
        "@[split]\ngroup = 'customer'",
        'split.group: split.method = "stratified" would put a group into both parts; use "group" or "time"',
    ),
    (
        "@[split]\ntime_format = '%Y'",
        "split.time_format: needs the column of times; name it as split.time",
    ),
    (
        "@[split]\nmethod = 'group'\ngroup = 'customer'\ntest_from = '2024'",
        'split.test_from: split.method = "group" does not use it; use "time" or leave it out',
    ),
    (
        "@[data]\ntarget = 'bad'\n[split]\nmethod = 'time'\ntime = 'bad'",
        'split.time: "bad" is data.target; name another column',
    ),
    (
        "@[split]\nmethod = 'group'\ngroup = 'age'",
        "features.age: is split.group, which a model would memorize; take it out of the features",
    ),
    (
        "@[split]\nmethod = 'group'\ngroup = 'customer'\n[model]\nestimator = 'calibrated-cv'",
        'model.estimator: "calibrated-cv" would put a group into several folds; use "cross-fit"',
    ),
    (
        "@[costs]\ngain = 1.0",
        "costs.loss: costs.gain is set; a profit needs both, set costs.loss too",
    ),
    (
        "@[costs]\nloss = 10.0",
        "costs.gain: costs.loss is set; a profit needs both, set costs.gain too",
    ),
    (
        "@[costs]\namount = 'age'",
        "costs.amount: needs costs.gain and costs.loss, as shares of it; set both",
    ),
    (
        "@[costs]\ngain = 0.1\nloss = 0.5\namount = 'purpose'",
        "costs.amount: expected a number feature; known here: age",
    ),
    (
        "@[tuning]\ntrials = 3\n[xgboost]\nearly_stopping_rounds = 5",
        "xgboost.early_stopping_rounds: contradicts tuning.trials, which finds the number of trees; leave it out",
    ),
    (
        "@[tuning]\ntrials = 3\nkeep = ['max_dept']",
        "tuning.keep: no such parameter max_dept; did you mean max_depth?",
    ),
    (
        "@[engine]\ncache = 'there'",
        "engine.cache: needs engine.external_memory, engine.workers or engine.scheduler; leave it out",
    ),
    (
        "[engine]\nexternal_memory = true",
        "engine.external_memory: reads Parquet files in parts, and data.file names none; name them, or train in memory",
    ),
    (
        "@[data]\nfile = 's3://bucket/rows'\n[engine]\nscheduler = 'tcp://127.0.0.1:1'",
        "engine.scheduler: its workers read the files themselves, where all see them; name files in a folder that all "
        "share",
    ),
    (
        "@[data]\nfile = 'rows.parquet'\n[engine]\nworkers = 2\n[model]\nestimator = 'calibrated-cv'",
        'model.estimator: "calibrated-cv" contradicts engine.workers; use "cross-fit"',
    ),
    (
        "@[data]\nfile = 'rows.parquet'\n[engine]\nworkers = 2\n[xgboost]\ntree_method = 'exact'",
        'xgboost.tree_method: "exact" contradicts engine.workers, which bins its columns; use "hist"',
    ),
    (
        "@[reasons]\nreference = 'at-cutoff'",
        'reasons.cutoff: reasons.reference = "at-cutoff" needs the lowest approved score; set it',
    ),
    (
        "@[reasons]\nmethod = 'tree-path'\nreference = 'at-cutoff'\ncutoff = 600",
        'reasons.reference: reasons.method = "tree-path" uses no reference rows; leave it out',
    ),
    (
        "@[reason_groups]\nage = ['owner']",
        "reason_groups.age: is the name of a feature; give the group a name of its own",
    ),
    (
        "@[reason_groups]\nperson = ['agee']",
        "reason_groups.person: expected features, got agee; did you mean age?",
    ),
    (
        "@[reason_groups]\nperson = ['age']\nother = ['age', 'owner']",
        "reason_groups.other: age is in reason_groups.person already; keep it in one group",
    ),
    (
        "@[reason_texts.agee]\ntext = 'age'",
        "reason_texts.agee: no such feature or group; did you mean age?",
    ),
    (
        f"@{AGE}direction = 'up'",
        "reason_texts.age.direction: goes with actionable = true; set it too, or leave this out",
    ),
    (
        f"@{AGE}actionable = true",
        'reason_texts.age.direction: the model has no monotone constraint on it; state direction = "up" or "down"',
    ),
    (
        f"@{AGE}actionable = true\ndirection = 'up'\nlevels = ['1']",
        "reason_texts.age.levels: needs a category feature, got a number; leave it out",
    ),
    (
        f"@{AGE}actionable = true\ndirection = 'up'\n[xgboost]\nmonotone_constraints = {{ age = 1 }}",
        'reason_texts.age.direction: "up" never raises the score, by the monotone constraint +1; leave it out',
    ),
    (
        "@[reason_texts.purpose]\nactionable = true\ndirection = 'up'\nlevels = ['car']",
        'reason_texts.purpose.direction: a category has no direction; list levels = ["..."] instead',
    ),
    (
        "@[reason_texts.purpose]\nactionable = true",
        'reason_texts.purpose.levels: an actionable category needs the levels that a hint may name, levels = ["..."]',
    ),
    (
        f"{PURPOSE}[reason_texts.purpose]\nactionable = true\nlevels = ['hous']",
        'reason_texts.purpose.levels: no such level "hous"; did you mean house?',
    ),
    (
        "@[reason_groups]\nperson = ['age', 'owner']\n[reason_texts.person]\nactionable = true\ndirection = 'up'",
        "reason_texts.person.actionable: a hint changes one feature, and this is a group; mark a feature instead",
    ),
    (
        "@[reasons]\nhints = true",
        "reasons.hints: needs a feature to change; mark one in [reason_texts.NAME]: actionable = true",
    ),
    (
        f"@[reasons]\nhints = true\nreference = 'none'\n{AGE}actionable = true\ndirection = 'up'",
        'reasons.hints: needs reasons, and reasons.reference = "none" leaves them out; change one',
    ),
    (
        "@[reason_groups]\nperson = ['age']\n[reason_texts.age]\ninquiries = true",
        "reason_texts.age.inquiries: its points are those of person; mark person instead",
    ),
]


@pytest.mark.parametrize(("text", "message"), CONTRADICTIONS)
def test_a_contradiction_is_one_line_that_names_what_to_change(text: str, message: str, tmp_path: Path) -> None:
    assert mistake_in(tmp_path, text.replace("@", MINIMAL)) == f"settings.toml: {message}"


@pytest.mark.parametrize(
    "text",
    [
        "[split]\nmethod = 'time'\ntime = 'applied'\ngroup = 'customer'\ntest_from = '2024'",
        "[costs]\ngain = 0.1\nloss = 0.5\namount = 'age'",
        f"[reasons]\nhints = true\n{AGE}actionable = true\ndirection = 'down'\n"
        "[xgboost]\nmonotone_constraints = { age = 1 }",
        "[data]\nfile = 'rows.parquet'\n[engine]\nexternal_memory = true\ncache = 'there'",
    ],
)
def test_settings_that_go_together_are_taken(text: str, tmp_path: Path) -> None:
    from_toml(tmp_path, MINIMAL + text)
