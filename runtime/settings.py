"""Settings from the environment."""

import os
import re
from collections.abc import Mapping

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html: others are not accepted.
NAMESPACE = r"(?!AWS/|[: ])[0-9A-Za-z.\-_/#: ]{1,255}"
# An origin as browsers write it (RFC 6454, 6.2): in lower case, without a path, without the usual port of its scheme.
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]{{2,45}}\])"
ORIGIN = (
    rf"(?:https://{_HOST}(?!:443\Z)|http://{_HOST}(?!:80\Z)|(?!https?:|file:)[a-z][a-z0-9+.\-]*://{_HOST})"
    r"(?::(?!0)(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
)
# Base paths that API Gateway allows for a custom domain and a load balancer's rule can match.
BASE_PATH = r"(?:/[A-Za-z0-9\-._~!$&'()*+,;=:@]+)+"


class SettingRefused(ValueError):  # noqa: N818  (named for what happened)
    """A setting with a value that is not allowed."""


class Settings:
    """The settings of one process.

    * `MODEL_DIR`: the folder of model.onnx and manifest.json; `model` beside the code (`$LAMBDA_TASK_ROOT`)
      by default.
    * `UNKNOWN_FIELDS`: `refuse` (default) or `ignore` the fields of an applicant that the model does not
      know.
    * `EXPLAIN`: `always` (every answer has its reasons, and a start reads and checks their tables), `on-request` (the
      default: where a request asks, and the first one reads them) or `never`.
    * `CORS_ORIGINS`: origins that browsers may ask from, `scheme://host[:port]`, comma-separated; or `*` for all of
      them; none by default. Wildcards within an origin are refused: name each.
    * `BASE_PATH`: the prefix that a custom domain puts before the paths, such as `/credit`.
    * `LOG_REQUESTS`, `METRICS`: `on` or `off`; on in Lambda by default (where `AWS_LAMBDA_FUNCTION_NAME` is set).
    * `METRICS_NAMESPACE`: the CloudWatch namespace of the metrics; `lastbit` by default.

    Lambda itself sets `AWS_LAMBDA_INITIALIZATION_TYPE`, which says why it starts a process.
    """

    __slots__ = (
        "base_path",
        "cors_origins",
        "explain",
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
        self.explain = environment.get("EXPLAIN") or "on-request"
        if self.explain not in ("always", "on-request", "never"):
            raise SettingRefused(f"EXPLAIN: expected always, on-request or never, got {self.explain!r}")
        self.cors_origins = _origins(environment.get("CORS_ORIGINS", ""))
        base_path = environment.get("BASE_PATH", "").rstrip("/")
        if base_path and not re.fullmatch(BASE_PATH, base_path):
            raise SettingRefused(
                "BASE_PATH: expected a path such as /credit, of letters, digits or - . _ ~ ! $ & ' ( ) * + , ; = : @, "
                f"got {base_path!r}"
            )
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


def _origins(text: str) -> frozenset[str]:
    origins = frozenset(origin.strip() for origin in text.split(",")) - {""}
    for origin in sorted(origins - {"*"}):
        if not re.fullmatch(ORIGIN, origin):
            raise SettingRefused(
                "CORS_ORIGINS: expected scheme://host[:port] as a browser sends it, in lower case, without a path, "
                f"a wildcard, or the scheme's own port, got {origin!r}"
            )
    if "*" in origins and len(origins) > 1:
        raise SettingRefused("CORS_ORIGINS: expected * alone or a list of origins, got both")
    return origins


def _switch(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name) or ("on" if environment.get("AWS_LAMBDA_FUNCTION_NAME") else "off")
    if value not in ("on", "off"):
        raise SettingRefused(f"{name}: expected on or off, got {value!r}")
    return value == "on"
