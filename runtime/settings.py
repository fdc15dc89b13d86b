"""What the environment may set."""

import os
import re
from collections.abc import Mapping

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html: others are not accepted.
NAMESPACE = r"(?!AWS/|[: ])[0-9A-Za-z.\-_/#: ]{1,255}"


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
    * `LOG_REQUESTS`, `METRICS`: `on` or `off`; on in Lambda by default (where `AWS_LAMBDA_FUNCTION_NAME` is set).
    * `METRICS_NAMESPACE`: the CloudWatch namespace of the metrics; `lastbit` by default.

    Lambda itself says by `AWS_LAMBDA_INITIALIZATION_TYPE` why it starts a process.
    """

    __slots__ = (
        "base_path",
        "cors_origins",
        "ignore_unknown_fields",
        "initialization",
        "log_requests",
        "metrics",
        "metrics_namespace",
        "model_folder",
    )

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
        self.log_requests = _switch(environment, "LOG_REQUESTS")
        self.metrics = _switch(environment, "METRICS")
        namespace = environment.get("METRICS_NAMESPACE", "")
        if namespace and not re.fullmatch(NAMESPACE, namespace):
            raise SettingRefused(
                "METRICS_NAMESPACE: expected up to 255 letters, digits, spaces or . - _ / # : that do not begin "
                f"with AWS/, got {namespace!r}"
            )
        self.metrics_namespace = namespace or "lastbit"
        self.initialization = environment.get("AWS_LAMBDA_INITIALIZATION_TYPE", "")


def _switch(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name) or ("on" if environment.get("AWS_LAMBDA_FUNCTION_NAME") else "off")
    if value not in ("on", "off"):
        raise SettingRefused(f"{name}: expected on or off, got {value!r}")
    return value == "on"
