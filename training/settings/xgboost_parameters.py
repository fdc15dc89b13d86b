"""Which parameters of XGBClassifier can be set: those whose trees the exporter reproduces to the last bit."""

from collections.abc import Mapping
from types import MappingProxyType

from cli.words import did_you_mean, shown
from training.settings.keys import Section

Value = int | float | str | Mapping[str, int]

REFERENCE: Mapping[str, Value] = MappingProxyType(
    {
        "n_estimators": 200,
        "max_depth": 4,
        "min_child_weight": 5.0,
        "gamma": 1.5,
        "learning_rate": 0.026826957952797246,
        "subsample": 1.0,
        "colsample_bytree": 1.0,
    }
)

# Lowest, usual and highest; a slip of the finger is refused before it fills the memory.
INTEGERS = {
    "n_estimators": (1, 200, 100_000),
    "max_depth": (0, 4, 100),
    "max_leaves": (0, 16, 100_000),
    "max_bin": (2, 256, 65_536),
    "early_stopping_rounds": (1, 20, 100_000),
    "num_parallel_tree": (1, 4, 1_000),
}
SHARES = ("learning_rate", "subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode")
FROM_ZERO = ("min_child_weight", "gamma", "reg_alpha", "reg_lambda", "max_delta_step")
CHOICES = {"tree_method": ("auto", "exact", "approx", "hist"), "grow_policy": ("depthwise", "lossguide")}
KNOWN = (*INTEGERS, *SHARES, *FROM_ZERO, *CHOICES, "scale_pos_weight", "base_score", "monotone_constraints")

# XGBoost's other names for a parameter, and what has its place elsewhere in the settings.
OTHER_NAMES = {
    "eta": "xgboost.learning_rate",
    "lambda": "xgboost.reg_lambda",
    "alpha": "xgboost.reg_alpha",
    "min_split_loss": "xgboost.gamma",
    "num_boost_round": "xgboost.n_estimators",
    "random_state": "split.seed",
    "seed": "split.seed",
}

# The only value that is let through, which is XGBoost's default (None: no value at all), and why.
REFUSED: Mapping[str, tuple[Value | None, str]] = {
    "booster": ("gbtree", "its score is no plain sum over trees"),
    "enable_categorical": (
        False,
        "splits on native categories have no counterpart in the graph; use category features",
    ),
    "missing": (None, "missing is NaN, in training and in the graph"),
    "objective": ("binary:logistic", "the model answers one probability, of default"),
    "num_class": (None, "there are two classes"),
}


def read_parameters(table: Section) -> dict[str, Value]:
    """The reference's parameters and over them the table's: whole numbers as int, other numbers as float.

    A parameter that is in neither stays away, so that XGBoost's own default holds.
    """
    parameters: dict[str, Value] = dict(REFERENCE)
    for name in table.values:
        if name in REFUSED:
            parameters[name] = _only_default(table, name)
        elif name in KNOWN:
            parameters[name] = _read(table, name)
        elif name in OTHER_NAMES:
            table.refuse(name, f"unknown key; it is called {OTHER_NAMES[name]} here")
        else:
            table.refuse(name, f"unknown key; {did_you_mean(name, KNOWN)}")
    _refuse_contradictions(table, parameters)
    return parameters


def _read(table: Section, name: str) -> Value:
    if name in INTEGERS:
        lowest, usual, highest = INTEGERS[name]
        return table.integer(name, usual, at_least=lowest, at_most=highest)
    if name in SHARES:
        return table.number(name, 1.0, above=0, at_most=1)
    if name in FROM_ZERO:
        return table.number(name, 1.0, at_least=0)
    if name in CHOICES:
        return table.choice(name, CHOICES[name][0], CHOICES[name])
    if name == "base_score":
        return table.number(name, 0.5, above=0, below=1)
    if name == "scale_pos_weight":
        return table.number(name, 1.0, above=0)
    rising: Mapping[str, int] = {"recovery_debt": 1}
    return table.converted(name, rising, _directions, "a table of features, each 1 (rising) or -1 (falling)", rising)


def _directions(value: object) -> Mapping[str, int] | None:
    if not isinstance(value, Mapping):
        return None
    fits = all(isinstance(direction, int) and direction in (1, -1) for direction in value.values())
    return dict(value) if fits and not any(isinstance(v, bool) for v in value.values()) else None


def _only_default(table: Section, name: str) -> Value:
    value, (allowed, reason) = table.values[name], REFUSED[name]
    if allowed is None or value != allowed or type(value) is not type(allowed):
        remedy = "leave it out" if allowed is None else f"leave it out, or {shown(allowed)}"
        table.refuse(name, f"{shown(value)} cannot be exported exactly: {reason}; {remedy}")
    return allowed


def _refuse_contradictions(table: Section, parameters: Mapping[str, Value]) -> None:
    exact = parameters.get("tree_method") == "exact"
    if exact and parameters.get("grow_policy") == "lossguide":
        table.refuse("grow_policy", '"lossguide" contradicts tree_method = "exact"; use "hist" or "approx"')
    if parameters["max_depth"] == 0 and (exact or not parameters.get("max_leaves")):
        needed = 'a tree_method other than "exact"' if exact else "a max_leaves above 0"
        table.refuse("max_depth", f"0 (no limit) needs {needed}; set it, or a depth of at least 1")
