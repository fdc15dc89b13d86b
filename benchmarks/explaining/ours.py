"""lastbit: the contributions behind the reasons, with the reference rows as a file."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import lastbit
from benchmarks.fidelity.cases import Case
from runtime.explain import load_explainer


def explain(its: Case, rows: Any, reference: Any) -> Any:
    """Contributions in log-odds, in the order of the columns."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "reference.parquet"
        reference.to_parquet(file)
        lastbit.export_model(
            its.pipeline, its.train, its.target, f"{folder}/model", reasons={"reasons": {"reference": str(file)}}
        )
        model = lastbit.load_model(f"{folder}/model")
        tables = load_explainer(model)._tables
        numbers, words = (
            [feature.name for feature in kind] for kind in (model.manifest.numbers, model.manifest.categories)
        )
        texts = rows[words].astype(object).to_numpy() if words else [()] * len(rows)
        found = [
            dict(zip([*numbers, *words], tables.contributions(one, other), strict=True))
            for one, other in zip(rows[numbers].to_numpy().tolist(), map(list, texts), strict=True)
        ]
        return [[its_row[name] for name in rows.columns] for its_row in found]
