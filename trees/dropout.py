"""Boosters fitted with dropout (DART): each tree has a weight, which is multiplied into its leaves.

XGBoost multiplies in float32 when it predicts, with roundings that differ by version and by the function called:
`multiplied` says which. A tree that was never dropped has a weight of 1, and before XGBoost 3.4 its leaves are rounded
all the same.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

DART = "dart"


def weights_of(content: dict[str, Any]) -> NDArray[np.float32]:
    """Weight of each tree, float32 [trees]; empty for a booster without dropout."""
    booster = content["learner"]["gradient_booster"]
    # Since XGBoost 3.4 a booster fitted with dropout is a gbtree in the file, and its model holds the weights.
    found = booster.get("weight_drop") or booster.get("model", {}).get("weight_drop") or []
    return np.asarray(found, dtype=np.float32)


def without_weights(content: dict[str, Any]) -> dict[str, Any]:
    """The same JSON as that of a gbtree, every tree with a weight of 1."""
    learner = content["learner"]
    booster = learner["gradient_booster"]
    model = {key: value for key, value in booster.get("gbtree", booster)["model"].items() if key != "weight_drop"}
    return {**content, "learner": {**learner, "gradient_booster": {"name": "gbtree", "model": model}}}


def multiplied(
    leaf: NDArray[np.float32], weight: np.float32, base_margin: np.float32, content: dict[str, Any]
) -> NDArray[np.float32]:
    """Leaves [nodes] times the weight of their tree, float32, with the roundings of XGBClassifier's prediction.

    XGBoost before 3.4 adds each tree to the base margin, and subtracts the base margin again before it multiplies.
    (`Booster.predict` of a DMatrix multiplies the leaf alone, so its last bits differ.)
    """
    if content["learner"]["gradient_booster"]["name"] == DART:
        leaf = (base_margin + leaf) - base_margin
    return weight * leaf
