"""The parameters of XGBClassifier that can be set: those whose trees the exporter reproduces to the last bit."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from cli.settings.declared import Usage, read_values, settings_of
from cli.settings.origin import Origin
from cli.words import shown
from trees.dropout import DART

Value = int | float | str | Mapping[str, int]


def _signs(directions: dict[str, int]) -> dict[str, int]:
    if not set(directions.values()) <= {1, -1}:
        raise ValueError
    return directions


class Parameters:
    """Parameters of XGBClassifier that can be exported exactly; where no default is given, XGBoost's own applies."""

    # A highest value refuses a slip of the finger before it fills the memory.

    n_estimators: Annotated[int, Field(ge=1, le=100_000, description="trees of each booster")] = 200
    max_depth: Annotated[
        int, Field(ge=0, le=100, description="largest number of splits on the way to a leaf; 0 for no limit")
    ] = 4
    min_child_weight: Annotated[float, Field(ge=0, description="smallest sum of Hessians in a leaf")] = 5.0
    gamma: Annotated[float, Field(ge=0, description="smallest gain of a split")] = 1.5
    learning_rate: Annotated[
        float, Field(gt=0, le=1, description="share of each tree that is added", examples=[0.1])
    ] = 0.026826957952797246
    subsample: Annotated[float, Field(gt=0, le=1, description="share of the rows of each tree")] = 1.0
    colsample_bytree: Annotated[float, Field(gt=0, le=1, description="share of the columns of each tree")] = 1.0
    colsample_bylevel: Annotated[
        float, Field(gt=0, le=1, description="share of the columns of each level", examples=[1.0])
    ]
    colsample_bynode: Annotated[
        float, Field(gt=0, le=1, description="share of the columns of each split", examples=[1.0])
    ]
    max_leaves: Annotated[int, Field(ge=0, le=100_000, description="largest number of leaves of a tree", examples=[16])]
    max_bin: Annotated[int, Field(ge=2, le=65_536, description="largest number of bins of a column", examples=[256])]
    early_stopping_rounds: Annotated[
        int, Field(ge=1, le=100_000, description="rounds without improvement after which boosting stops", examples=[20])
    ]
    num_parallel_tree: Annotated[int, Field(ge=1, le=1_000, description="trees of each round", examples=[4])]
    reg_alpha: Annotated[float, Field(ge=0, description="L1 penalty of leaves", examples=[1.0])]
    reg_lambda: Annotated[float, Field(ge=0, description="L2 penalty of leaves", examples=[1.0])]
    max_delta_step: Annotated[float, Field(ge=0, description="largest value of a leaf; 0 for no limit", examples=[1.0])]
    tree_method: Annotated[
        Literal["auto", "exact", "approx", "hist"], Field(description="search for splits", examples=["auto"])
    ]
    grow_policy: Annotated[
        Literal["depthwise", "lossguide"], Field(description="node to split next", examples=["depthwise"])
    ]
    scale_pos_weight: Annotated[float, Field(gt=0, description="weight of an applicant who defaulted", examples=[1.0])]
    base_score: Annotated[float, Field(gt=0, lt=1, description="probability before the first tree", examples=[0.5])]
    monotone_constraints: Annotated[
        dict[str, int],
        Field(description="features along which risk only rises or only falls", examples=[{"recovery_debt": 1}]),
        AfterValidator(_signs),
        Usage(expected="a table of features, each 1 (rising) or -1 (falling)"),
    ]


KNOWN = settings_of(Parameters)
REFERENCE: Mapping[str, Value] = MappingProxyType(
    {name: getattr(Parameters, name) for name in KNOWN if hasattr(Parameters, name)}
)

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
    "booster": ("gbtree", "its score is not a plain sum over trees"),
    "enable_categorical": (
        False,
        "splits on native categories have no counterpart in the graph; use category features",
    ),
    "missing": (None, "missing is NaN, in training and in the graph"),
    "objective": ("binary:logistic", "the model answers one probability, of default"),
    "num_class": (None, "there are two classes"),
}


def read_parameters(table: Mapping[str, object], origin: Origin) -> dict[str, Value]:
    """The reference's parameters and over them the table's. Raises UserError, exit status 2, for the first mistake."""
    for name, value in table.items():
        if name in OTHER_NAMES:
            origin.refuse(f"xgboost.{name}", f"unknown key; it is called {OTHER_NAMES[name]} here")
        if name in REFUSED:
            _refuse_all_but_default(name, value, origin)
    its = {name: value for name, value in table.items() if name not in REFUSED}
    allowed = {name: value for name, (value, _) in REFUSED.items() if name in table and value is not None}
    parameters: dict[str, Value] = {**REFERENCE, **read_values(Parameters, "xgboost", its, origin), **allowed}
    _refuse_contradictions(parameters, origin)
    return parameters


def _refuse_all_but_default(name: str, value: object, origin: Origin) -> None:
    allowed, reason = REFUSED[name]
    if allowed is None or value != allowed or type(value) is not type(allowed):
        remedy = "leave it out" if allowed is None else f"leave it out, or {shown(allowed)}"
        if (name, value) == ("booster", DART):
            taken = "is not among what training fits: lastbit.export_model takes a fitted pipeline with dropout"
            origin.refuse(f"xgboost.{name}", f"{shown(value)} {taken}; {remedy}")
        origin.refuse(f"xgboost.{name}", f"{shown(value)} cannot be exported exactly: {reason}; {remedy}")


def _refuse_contradictions(parameters: Mapping[str, Value], origin: Origin) -> None:
    exact = parameters.get("tree_method") == "exact"
    if exact and parameters.get("grow_policy") == "lossguide":
        origin.refuse("xgboost.grow_policy", '"lossguide" contradicts tree_method = "exact"; use "hist" or "approx"')
    if parameters["max_depth"] == 0 and (exact or not parameters.get("max_leaves")):
        needed = 'a tree_method other than "exact"' if exact else "a max_leaves above 0"
        origin.refuse("xgboost.max_depth", f"0 (no limit) needs {needed}; set it, or a depth of at least 1")
