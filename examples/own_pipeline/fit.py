"""A textbook credit pipeline, as somebody without lastbit has it: German credit, 1,000 loans.

Run it from the root of the repository: `python examples/own_pipeline/fit.py artifacts/own`. It writes fitted.skops, and
rows.parquet with the outcomes in the column `bad`.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from xgboost import XGBClassifier

DATA = Path(__file__).parents[1] / "german_credit" / "germancredit.csv"
SKEWED = ["credit_amount"]


def preparation() -> ColumnTransformer:
    """Amounts as logarithms, numbers imputed and scaled, texts one-hot: a sparse matrix, as it often is."""
    texts = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="none"), OneHotEncoder(handle_unknown="ignore", min_frequency=20)
    )
    return ColumnTransformer(
        [
            ("skewed", make_pipeline(SimpleImputer(strategy="median"), FunctionTransformer(np.log1p)), SKEWED),
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["duration_in_month", "age_in_years"]),
            ("texts", texts, make_column_selector(dtype_exclude="number")),
        ],
        remainder="passthrough",
        sparse_threshold=1.0,
    )


def fit() -> tuple[Pipeline, pd.DataFrame, "pd.Series[int]"]:
    """The fitted pipeline, its raw columns and the outcomes."""
    table = pd.read_csv(DATA, keep_default_na=False)
    y = (table.pop("creditability") == "bad").astype(int)
    trees = XGBClassifier(n_estimators=150, max_depth=3, learning_rate=0.05, n_jobs=1)
    pipeline = Pipeline(
        [("columns", preparation()), ("classify", CalibratedClassifierCV(trees, method="isotonic", cv=5))]
    )
    return pipeline.fit(table, y), table, y


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "artifacts/own")
    folder.mkdir(parents=True, exist_ok=True)
    fitted, rows, outcomes = fit()
    skops.io.dump(fitted, folder / "fitted.skops")
    rows.assign(bad=outcomes).to_parquet(folder / "rows.parquet", index=False)
