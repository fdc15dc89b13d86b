"""Preparations as people write them, by name, and the line by which those are refused that cannot be exact."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from category_encoders import JamesSteinEncoder, LeaveOneOutEncoder, MEstimateEncoder, QuantileEncoder, WOEEncoder
from category_encoders import TargetEncoder as ShareEncoder
from optbinning import BinningProcess
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)

from tests.export.own.pipelines import NUMBERS, TEXTS


@dataclass(frozen=True)
class Case:
    """A preparation of numbers and of texts, and the words of its refusal; "" where it is supported."""

    name: str
    numbers: Callable[[], Any] = lambda: "passthrough"
    texts: Callable[[], Any] = lambda: OneHotEncoder(handle_unknown="ignore")
    refused: str = ""
    tolerated: bool = False
    """Taken where a tolerance is stated."""

    def preparation(self, *, sparse: bool) -> ColumnTransformer:
        parts = [
            ("numbers", self.numbers(), NUMBERS),
            ("texts", self.texts(), TEXTS),
            ("rest", "passthrough", ["owner"]),
        ]
        return ColumnTransformer(parts, sparse_threshold=1.0 if sparse else 0.0)


def bins(**parameters: Any) -> KBinsDiscretizer:
    return KBinsDiscretizer(5, quantile_method="averaged_inverted_cdf", **parameters)


def function(of: Any, **arguments: Any) -> FunctionTransformer:
    return FunctionTransformer(of, kw_args=arguments or None)


def hot(**parameters: Any) -> OneHotEncoder:
    return OneHotEncoder(**{"handle_unknown": "ignore", **parameters})


def ordinal(**parameters: Any) -> OrdinalEncoder:
    return OrdinalEncoder(handle_unknown="use_encoded_value", **{"unknown_value": -1, **parameters})


CASES = [
    Case("`passthrough`"),
    Case("`SimpleImputer` → `StandardScaler`", lambda: make_pipeline(SimpleImputer(), StandardScaler())),
    Case(
        "`SimpleImputer(strategy='median', add_indicator=True)`",
        lambda: SimpleImputer(strategy="median", add_indicator=True),
    ),
    Case(
        "`SimpleImputer(strategy='constant', fill_value=-1)`", lambda: SimpleImputer(strategy="constant", fill_value=-1)
    ),
    Case("`SimpleImputer(strategy='most_frequent')`", lambda: SimpleImputer(strategy="most_frequent")),
    Case("`SimpleImputer(missing_values=0)`", lambda: make_pipeline(SimpleImputer(), SimpleImputer(missing_values=0))),
    Case(
        "`MissingIndicator` in a `FeatureUnion`",
        lambda: FeatureUnion([("there", MissingIndicator()), ("value", SimpleImputer())]),
    ),
    Case("`MinMaxScaler`", MinMaxScaler),
    Case("`MinMaxScaler(clip=True)`", lambda: MinMaxScaler(clip=True)),
    Case("`MaxAbsScaler`", MaxAbsScaler),
    Case("`RobustScaler`", RobustScaler),
    Case("`PowerTransformer`", PowerTransformer),
    Case("`QuantileTransformer`", lambda: QuantileTransformer(n_quantiles=50)),
    Case(
        "`QuantileTransformer(output_distribution='normal')`",
        lambda: QuantileTransformer(n_quantiles=50, output_distribution="normal"),
    ),
    Case("`KBinsDiscretizer`, one-hot", lambda: make_pipeline(SimpleImputer(), bins())),
    Case("`KBinsDiscretizer`, ordinal", lambda: make_pipeline(SimpleImputer(), bins(encode="ordinal"))),
    Case("`Binarizer`", lambda: make_pipeline(SimpleImputer(), Binarizer(threshold=1.5))),
    Case(
        "`np.log1p` of `np.abs`, scaled", lambda: make_pipeline(function(np.abs), function(np.log1p), StandardScaler())
    ),
    Case("`np.log1p`, missing below −1", lambda: function(np.log1p)),
    Case("`np.sqrt`", lambda: function(np.sqrt)),
    Case("`np.clip`", lambda: make_pipeline(function(np.clip, a_min=-50, a_max=40_000), StandardScaler())),
    Case("`np.square`", lambda: make_pipeline(StandardScaler(), function(np.square), StandardScaler())),
    Case("`np.sign`, `np.floor`", lambda: FeatureUnion([("sign", function(np.sign)), ("floor", function(np.floor))])),
    Case("`np.nan_to_num`", lambda: function(np.nan_to_num)),
    Case(
        "`FeatureUnion` of scalers",
        lambda: FeatureUnion([("a", StandardScaler()), ("b", MinMaxScaler())], transformer_weights={"b": -2.0}),
    ),
    Case("`VarianceThreshold`", lambda: make_pipeline(SimpleImputer(), VarianceThreshold())),
    Case("`SelectKBest`", lambda: make_pipeline(SimpleImputer(), SelectKBest(k=3))),
    Case("`OneHotEncoder` of numbers", lambda: ColumnTransformer([("age", hot(), ["age"])], remainder="passthrough")),
    Case(
        "`ColumnTransformer` in a `ColumnTransformer`, by selector",
        lambda: ColumnTransformer(
            [
                ("ints", MinMaxScaler(), make_column_selector(dtype_include=np.integer)),
                ("floats", StandardScaler(), make_column_selector(dtype_include=float)),
            ]
        ),
    ),
    Case("`KBinsDiscretizer(strategy='uniform')`", lambda: make_pipeline(SimpleImputer(), bins(strategy="uniform"))),
    Case("`KBinsDiscretizer(strategy='kmeans')`", lambda: make_pipeline(SimpleImputer(), bins(strategy="kmeans"))),
    Case(
        "`PowerTransformer(method='box-cox')` behind `np.clip`",
        lambda: make_pipeline(function(np.clip, a_min=0.5, a_max=1e6), PowerTransformer(method="box-cox")),
    ),
    Case(
        "`OneHotEncoder(min_frequency=…)` of numbers",
        lambda: ColumnTransformer(
            [("late", hot(min_frequency=40, handle_unknown="infrequent_if_exist"), ["late"])], remainder=SimpleImputer()
        ),
    ),
    Case(
        "`OrdinalEncoder` of numbers",
        lambda: ColumnTransformer([("late", ordinal(unknown_value=99), ["late"])], remainder=StandardScaler()),
    ),
    Case("`OneHotEncoder(min_frequency=…)`", texts=lambda: hot(min_frequency=60, handle_unknown="infrequent_if_exist")),
    Case("`OneHotEncoder(max_categories=…)`", texts=lambda: hot(max_categories=4)),
    Case("`OneHotEncoder(drop='first')`", texts=lambda: hot(drop="first")),
    Case("`OneHotEncoder(drop='if_binary')`", texts=lambda: hot(drop="if_binary")),
    Case(
        "`SimpleImputer` of texts → `OneHotEncoder`",
        texts=lambda: make_pipeline(SimpleImputer(strategy="most_frequent"), hot()),
    ),
    Case(
        "`SimpleImputer(fill_value=…)` of texts",
        texts=lambda: make_pipeline(SimpleImputer(strategy="constant", fill_value="none"), hot()),
    ),
    Case("`OneHotEncoder()`, which raises for unseen levels: they are refused", texts=OneHotEncoder),
    Case("`OrdinalEncoder()`, which raises for unseen levels: they are refused", texts=OrdinalEncoder),
    Case("`OrdinalEncoder`", texts=ordinal),
    Case(
        "`SimpleImputer(add_indicator=True)` of texts",
        texts=lambda: make_pipeline(SimpleImputer(strategy="most_frequent", add_indicator=True), hot()),
    ),
    Case("`OrdinalEncoder(max_categories=…)`", texts=lambda: ordinal(max_categories=3)),
    Case("`OrdinalEncoder(unknown_value=nan)`", texts=lambda: ordinal(unknown_value=np.nan)),
    Case("`OrdinalEncoder(encoded_missing_value=…)`", texts=lambda: ordinal(encoded_missing_value=-2)),
    Case("`OrdinalEncoder(min_frequency=…)`", texts=lambda: ordinal(min_frequency=60)),
    Case("`TargetEncoder`", texts=lambda: TargetEncoder(cv=2)),
    Case("`TargetEncoder` → `StandardScaler`", texts=lambda: make_pipeline(TargetEncoder(cv=2), StandardScaler())),
    Case(
        "`OrdinalEncoder` → `KBinsDiscretizer`",
        texts=lambda: make_pipeline(ordinal(encoded_missing_value=-2), bins(encode="onehot-dense")),
    ),
    Case("optbinning's `BinningProcess` of numbers", lambda: BinningProcess(NUMBERS)),
    Case("optbinning's `BinningProcess` of texts", texts=lambda: BinningProcess(TEXTS, categorical_variables=TEXTS)),
    Case(
        "optbinning's `BinningProcess` → `StandardScaler`",
        lambda: make_pipeline(BinningProcess(NUMBERS, selection_criteria={"iv": {"min": 0.02}}), StandardScaler()),
    ),
    Case("category_encoders' `WOEEncoder`", texts=WOEEncoder),
    Case(
        "`WOEEncoder` of numbers, missing and unknown ones as NaN → `StandardScaler`; of texts, both as numbers",
        lambda: make_pipeline(
            WOEEncoder(cols=["late"], handle_unknown="return_nan", handle_missing="return_nan"), StandardScaler()
        ),
        lambda: WOEEncoder(handle_unknown=-7, handle_missing=-8.5),
    ),
    Case(
        "`WOEEncoder(handle_unknown='error')`, which raises for unseen levels: they are refused",
        texts=lambda: WOEEncoder(handle_unknown="error"),
    ),
    Case(
        "`WOEEncoder(min_group_size=…)` of numbers and texts",
        lambda: WOEEncoder(cols=["late"], min_group_size=40, drop_invariant=True),
        lambda: WOEEncoder(min_group_size=60, return_df=False),
    ),
    Case("category_encoders' `TargetEncoder`", texts=ShareEncoder),
    Case("`JamesSteinEncoder`", texts=JamesSteinEncoder),
    Case("`MEstimateEncoder`", texts=MEstimateEncoder),
    Case("`QuantileEncoder`", texts=QuantileEncoder),
    Case("`LeaveOneOutEncoder`", texts=LeaveOneOutEncoder, refused="LeaveOneOutEncoder is not supported"),
    Case(
        "`WOEEncoder(composite_cols=…)`",
        texts=lambda: WOEEncoder(composite_cols=[("job", "city")]),
        refused="WOEEncoder with composite_cols or hierarchy is not supported",
    ),
    Case(
        "`PCA`",
        lambda: make_pipeline(SimpleImputer(), StandardScaler(), PCA(2)),
        refused="PCA is not supported",
        tolerated=True,
    ),
    Case(
        "`PCA` in a `FeatureUnion` with `StandardScaler`",
        lambda: FeatureUnion([("mixed", make_pipeline(SimpleImputer(), PCA(2))), ("apart", StandardScaler())]),
        refused="PCA is not supported",
        tolerated=True,
    ),
    Case("`KNNImputer`", KNNImputer, refused="KNNImputer is not supported"),
    Case(
        "`PolynomialFeatures`",
        lambda: make_pipeline(SimpleImputer(), PolynomialFeatures(2)),
        refused="PolynomialFeatures is not supported",
    ),
    Case(
        "`SplineTransformer`",
        lambda: make_pipeline(SimpleImputer(), SplineTransformer()),
        refused="SplineTransformer is not",
    ),
    Case(
        "`TruncatedSVD`",
        lambda: make_pipeline(SimpleImputer(), TruncatedSVD(2, random_state=0)),
        refused="TruncatedSVD is not supported",
        tolerated=True,
    ),
    Case(
        "`FunctionTransformer` of a function of one's own",
        lambda: function(lambda x: x * 2),
        refused="FunctionTransformer of <lambda> is not supported",
    ),
    Case("`np.sin`", lambda: function(np.sin), refused="FunctionTransformer of sin is not supported"),
    Case(
        "`np.log` of 0 → `StandardScaler`",
        lambda: ColumnTransformer(
            [("log", make_pipeline(function(np.abs), function(np.log), StandardScaler()), ["income", "age"])]
        ),
        refused="the pipeline raises for",
    ),
]
