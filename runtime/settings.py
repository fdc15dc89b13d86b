"""What the environment may set."""

import os
from collections.abc import Mapping


class SettingRefused(ValueError):  # noqa: N818  (named for what happened)
    """A setting with a value that it cannot have."""


class Settings:
    """The settings of one process.

    * `MODEL_DIR`: the folder of model.onnx and manifest.json; `model` beside the code (`$LAMBDA_TASK_ROOT`)
      by default.
    * `UNKNOWN_FIELDS`: `refuse` (default) or `ignore` the fields of an applicant that the model does not
      know.
    * `CORS_ORIGINS`: origins that browsers may ask from, comma-separated, or `*`; none by default.
    * `BASE_PATH`: what a custom domain puts before the paths, such as `/credit`.
    """

    __slots__ = ("base_path", "cors_origins", "ignore_unknown_fields", "model_folder")

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self.model_folder = environment.get("MODEL_DIR") or os.path.join(  # noqa: PTH118  (pathlib: 5 ms of start-up)
            environment.get("LAMBDA_TASK_ROOT", "."), "model"
        )
        unknown = environment.get("UNKNOWN_FIELDS") or "refuse"
        if unknown not in ("refuse", "ignore"):
            raise SettingRefused(f"UNKNOWN_FIELDS: expected refuse or ignore, got {unknown!r}")
        self.ignore_unknown_fields = unknown == "ignore"
        origins = environment.get("CORS_ORIGINS", "").split(",")
        self.cors_origins = frozenset(origin.strip() for origin in origins) - {""}
        base_path = environment.get("BASE_PATH", "").rstrip("/")
        if base_path and not base_path.startswith("/"):
            raise SettingRefused(f"BASE_PATH: expected a path that begins with /, got {base_path!r}")
        self.base_path = base_path
