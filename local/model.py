"""A handler over a model folder, as Lambda would build it."""

import os
from typing import TYPE_CHECKING

from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.dispatch import Handler


def load_handler(model_folder: str | None) -> "Handler":
    """A handler as Lambda has it, over another model folder than the environment's if one is given.

    Raises ModelRefused or SettingRefused.
    """
    from runtime.dispatch import Handler  # onnxruntime with it: not for --help

    environment = dict(os.environ)
    if model_folder is not None:
        environment["MODEL_DIR"] = model_folder
    return Handler(Settings(environment))
