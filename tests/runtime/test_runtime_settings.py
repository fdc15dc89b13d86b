"""Settings of the environment, and the values that are refused."""

from pathlib import Path

import pytest

from runtime.reader import ModelRefused
from runtime.settings import SettingRefused, Settings


def test_settings_have_defaults() -> None:
    settings = Settings({})
    assert settings.model_folder == "./model"
    assert not settings.ignore_unknown_fields
    assert (settings.cors_origins, settings.base_path) == (frozenset(), "")


def test_the_model_stands_beside_the_code() -> None:
    assert Settings({"LAMBDA_TASK_ROOT": "/var/task"}).model_folder == "/var/task/model"
    assert Settings({"LAMBDA_TASK_ROOT": "/var/task", "MODEL_DIR": "/m"}).model_folder == "/m"


def test_every_setting_is_read() -> None:
    settings = Settings({"UNKNOWN_FIELDS": "ignore", "CORS_ORIGINS": "https://a, https://b,", "BASE_PATH": "/x/"})
    assert settings.ignore_unknown_fields
    assert settings.cors_origins == {"https://a", "https://b"}
    assert settings.base_path == "/x"


def test_logs_and_metrics_are_on_in_lambda() -> None:
    here, there = Settings({}), Settings({"AWS_LAMBDA_FUNCTION_NAME": "score"})
    assert (here.log_requests, here.metrics, here.metrics_namespace) == (False, False, "lastbit")
    assert (there.log_requests, there.metrics) == (True, True)
    both = Settings(
        {"AWS_LAMBDA_FUNCTION_NAME": "score", "LOG_REQUESTS": "off", "METRICS_NAMESPACE": "Credit/Score #1"}
    )
    assert (both.log_requests, both.metrics, both.metrics_namespace) == (False, True, "Credit/Score #1")


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"UNKNOWN_FIELDS": "drop"}, "UNKNOWN_FIELDS: expected refuse or ignore, got 'drop'"),
        ({"LOG_REQUESTS": "yes"}, "LOG_REQUESTS: expected on or off, got 'yes'"),
        ({"METRICS": "1"}, "METRICS: expected on or off, got '1'"),
        *(
            (
                {"METRICS_NAMESPACE": name},
                "METRICS_NAMESPACE: expected up to 255 letters, digits, spaces or . - _ / # : that do not begin "
                f"with AWS/, got {name!r}",
            )
            for name in ("AWS/Lambda", "x" * 256, "a\nb", "é", ":a", '"')
        ),
        *(
            (
                {"BASE_PATH": path},
                "BASE_PATH: expected a path such as /credit, of letters, digits or - . _ ~ ! $ & ' ( ) * + , ; = : @, "
                f"got {path!r}",
            )
            for path in ("x", "//x", "/x//y", "/x?", "/%41", "/é", "/a b")
        ),
        *(
            (
                {"CORS_ORIGINS": origin},
                "CORS_ORIGINS: expected scheme://host[:port] as a browser sends it, in lower case, without a path, "
                f"a wildcard, or the scheme's own port, got {origin!r}",
            )
            for origin in (
                "a.com",
                "https://a.com/",
                "https://a.com/app",
                "https://*.example.com",
                "https://A.com",
                "https://a.com:443",
                "http://a.com:80",
                "https://a.com:0",
                "https://a.com:65536",
                "https://a.com:",
                "https://user@a.com",
                "https://bücher.example",
                "https://a..com",
                "https://-a.com",
                "https://",
                "null",
                "file://",
                "https://a.com https://b.com",
                "**",
            )
        ),
        ({"CORS_ORIGINS": "*,https://a.com"}, "CORS_ORIGINS: expected * alone or a list of origins, got both"),
    ],
)
def test_a_wrong_value_is_refused(environment: dict[str, str], line: str) -> None:
    with pytest.raises(SettingRefused) as refusal:
        Settings(environment)
    assert str(refusal.value) == line


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "https://a.com",
        "https://app.a-b.example:8443",
        "http://localhost:3000",
        "http://127.0.0.1",
        "http://[::1]:8080",
        "https://xn--bcher-kva.example",
        "http://a.com:443",
        "https://a.com:65535",
        "capacitor://localhost",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    ],
)
def test_an_origin_as_browsers_send_it(origin: str) -> None:
    assert Settings({"CORS_ORIGINS": f" {origin} ,"}).cors_origins == {origin}


def test_reasons_in_every_answer_need_a_model_that_has_them(reference_model: Path) -> None:
    from runtime.dispatch import Handler

    for how in ("on-request", "never"):
        Handler(Settings({"MODEL_DIR": str(reference_model), "EXPLAIN": how}))
    with pytest.raises(ModelRefused, match=r"^EXPLAIN=always: expected a model with reasons, got none: the model was"):
        Handler(Settings({"MODEL_DIR": str(reference_model), "EXPLAIN": "always"}))
