"""The page at `/`, used in headless Chromium: what it shows is what `POST /predict` answers."""

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.page import page_of
from local.server import Server
from runtime.dispatch import Handler
from tests.conftest import Opened
from tests.fonts import FONT_SETS, FontSet
from tests.runtime.model_builder import build_model

if TYPE_CHECKING:
    from playwright.sync_api import Page

Open = Callable[..., Opened]
DONE = "body:not(.stale) #curve[aria-busy=false] svg"
HOSTILE = '</script><script>alert("1")</script><img src=x onerror=alert(2)>'
ODD = [HOSTILE, 'it\'s "größe" & 年収', "a/b~c", "/*script*/", "n" * 130, "🙂 مبلغ"]
ODD_FEATURES: list[dict[str, Any]] = [
    {"name": name, "type": "number", "range": [0.0, 50.0], "nullable": True, "description": ""} for name in ODD
] + [
    {
        "name": "<b>shop</b>",
        "type": "category",
        "vocabulary": ["</option><script>alert(3)</script>", "Café & Bar", '"', "旅行"],
        "nullable": True,
        "description": HOSTILE,
    },
    {"name": "wide", "type": "number", "range": [-1e300, 1e300], "nullable": False, "description": ""},
]


@contextmanager
def served(handler: Handler) -> Iterator[str]:
    with Server(handler, pages={"/": page_of(handler.service)}, quiet=True) as server:
        yield server.url + "/"


@pytest.fixture(scope="module")
def url(small: Handler) -> Iterator[str]:
    with served(small) as its:
        yield its


@pytest.fixture(scope="module")
def odd(make_handler: Callable[..., Handler], tmp_path_factory: pytest.TempPathFactory) -> Handler:
    folder = tmp_path_factory.mktemp("odd") / "model"
    build_model(folder, ODD_FEATURES)
    return make_handler(folder)


def get(url: str, accept: str | None, method: str = "GET", path: str = "/") -> tuple[int, dict[str, str], bytes]:
    client = http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"), timeout=10)
    client.request(method, path, headers={} if accept is None else {"accept": accept})
    answer = client.getresponse()
    content = answer.read()
    client.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content


def ask(handler: Handler, applicant: dict[str, Any], query: str = "") -> dict[str, Any]:
    about = {"http": {"method": "POST"}}
    event = {"requestContext": about, "rawPath": "/predict", "rawQueryString": query, "body": json.dumps(applicant)}
    answer: Any = handler(event, None)
    content: dict[str, Any] = json.loads(answer["body"])
    return content


def wait(page: "Page") -> None:
    page.locator(DONE).wait_for()


def score(page: "Page") -> float:
    wait(page)
    return float(page.locator("#score").get_attribute("data-exact") or "nan")


def type_in(page: "Page", position: int, text: str) -> None:
    """Types over what is in a field, and waits until the page has begun to ask."""
    page.locator(f"#field-{position}").fill(text)


# ---------------------------------------------------------------- whom it is for


@pytest.mark.parametrize("accept", ["text/html", "text/html;q=0.9,*/*;q=0.8", "application/xhtml+xml, Text/HTML"])
def test_a_browser_gets_the_page(url: str, accept: str) -> None:
    status, headers, content = get(url, accept)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert content.startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    ("accept", "method", "path"),
    [
        (None, "GET", "/"),
        ("*/*", "GET", "/"),
        ("application/json", "GET", "/"),
        ("text/htmlx", "GET", "/"),
        ("text/html", "POST", "/"),
        ("text/html", "HEAD", "/"),
        ("text/html", "GET", "/health"),
    ],
)
def test_all_others_get_the_handlers_answer(url: str, accept: str | None, method: str, path: str) -> None:
    assert "html" not in get(url, accept, method, path)[1]["content-type"]


def test_the_page_may_load_and_reach_nothing_else(url: str) -> None:
    _, headers, content = get(url, "text/html")
    rules = dict(rule.strip().partition(" ")[::2] for rule in headers["content-security-policy"].split(";"))
    assert (rules["default-src"], rules["connect-src"], rules["form-action"]) == ("'none'", "'self'", "'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert all(mark not in content for mark in (b"src=", b"https://", b' style="', b" onclick"))


# ---------------------------------------------------------------- what it shows


def test_answers_are_those_of_predict(url: str, small: Handler, open_page: Open) -> None:
    opened = open_page(url)
    page = opened.page
    values: dict[str, Any] = {"income": 2500.25, "age": 30, "debt": -1e-3}
    for position, text in ((0, "2500.25"), (2, "30"), (4, "-1e-3")):
        type_in(page, position, text)
    for position, label in ((1, "no"), (3, "yes"), (5, "Café"), (6, "north")):
        page.locator(f"#field-{position}").select_option(label=label)
    applicant = {**values, "owner": False, "insured": True, "shop": "Café", "region": "north"}
    answer = ask(small, {"uuid": "1", **applicant})
    assert score(page) == answer["credit_score"]
    assert page.locator("#score").inner_text() == f"{answer['credit_score']:.1f}"
    assert page.locator("#band").inner_text() == answer["score_band"]
    shown = page.locator("#probability").get_attribute("data-exact")
    assert float(shown or "nan") == answer["default_probability"]
    assert not page.locator("#reasons").is_visible()  # this model has none
    page.locator("#field-5").select_option(label="not given")
    page.locator("#field-0").fill("")
    missing = {**applicant, "income": None, "shop": None}
    assert score(page) == ask(small, {"uuid": "1", **missing})["credit_score"]
    assert opened.faults == []
    assert {request.removeprefix(url) for request in opened.requests} == {"", "predict", "predict/batch"}


def test_the_curve_is_the_scores_along_the_range(url: str, small: Handler, open_page: Open) -> None:
    page = open_page(url).page
    wait(page)
    typical: dict[str, Any] = {"income": 2500.0, "owner": True, "age": 46.75, "insured": True, "debt": None}
    typical |= {"shop": "Travel", "region": "north"}
    page.locator("#moved").select_option(label="Age")
    wait(page)
    curve = json.loads(page.locator("#curve").get_attribute("data-scores") or "")
    assert len(curve) == 121
    for place, value in ((0, 18), (-1, 75.5)):
        assert curve[place] == ask(small, {"uuid": "1", **typical, "age": value})["credit_score"]
    assert page.locator("#curve .line").count() == 1
    page.locator("#field-5").focus()  # the curve follows the field that one is in
    wait(page)
    assert page.locator("#moved").evaluate("its => its.selectedOptions[0].text") == "Shop"
    curve = json.loads(page.locator("#curve").get_attribute("data-scores") or "")
    assert curve == [ask(small, {"uuid": "1", **typical, "shop": shop})["credit_score"] for shop in ("Travel", "Café")]
    assert page.locator("#curve .dot").count() == 2
    options = page.locator("#moved option").all_inner_texts()
    assert "Debt" not in options  # of which no range is known


def test_a_slider_moves_its_number(url: str, small: Handler, open_page: Open) -> None:
    page = open_page(url).page
    wait(page)
    slider = page.get_by_role("slider", name="A month, within its range")
    slider.focus()
    page.keyboard.press("End")
    assert page.locator("#field-0").input_value() == "5000"
    its = {"income": 5000, "owner": True, "age": 46.75, "insured": True, "shop": "Travel", "region": "north"}
    assert score(page) == ask(small, {"uuid": "1", **its})["credit_score"]


def test_mistakes_are_shown_at_their_field(url: str, open_page: Open) -> None:
    opened = open_page(url)
    page = opened.page
    wait(page)
    type_in(page, 0, "12,5")
    type_in(page, 2, "")
    page.locator(".field.wrong").nth(1).wait_for()
    said = {
        position: page.locator(f"#field-{position}-said").inner_text()
        for position in (0, 2)
        if page.locator(f"#field-{position}").get_attribute("aria-invalid") == "true"
    }
    assert said == {
        0: "Expected a number or null, got a string",
        2: "Expected a number, got null or nothing",
    }
    assert page.locator("#problem").is_visible()
    type_in(page, 0, "9007199254740993")  # beyond what JavaScript's numbers hold: sent as it was typed
    page.get_by_text("one beyond").wait_for()
    type_in(page, 0, "9000")
    type_in(page, 2, "20")
    wait(page)
    assert page.locator(".field.wrong, [aria-invalid]").count() == 0
    assert page.locator("#field-0-said").inner_text() == "Outside the training range, 0 to 5000"
    assert not page.locator("#problem").is_visible()


def test_odd_names_and_levels_are_text_only(odd: Handler, open_page: Open) -> None:
    with served(odd) as url:
        opened = open_page(url)
        page = opened.page
        page.get_by_role("button", name="Clear all").click()
        page.locator(".field.wrong").wait_for()
        type_in(page, len(ODD) + 1, "1e300")
        for position in range(len(ODD)):
            type_in(page, position, f"{position}.5")
        page.locator(f"#field-{len(ODD)}").select_option(label="旅行")
        applicant = {"uuid": "1", **{name: i + 0.5 for i, name in enumerate(ODD)}, "<b>shop</b>": "旅行", "wide": 1e300}
        assert score(page) == ask(odd, applicant)["credit_score"]
        assert page.locator(".field .name").all_inner_texts() == [feature["name"] for feature in ODD_FEATURES]
        for position in range(len(ODD)):  # whatever a pointer looks like, it leads to its field
            type_in(page, position, "x")
        page.locator(".field.wrong").nth(len(ODD) - 1).wait_for()
        assert page.locator(".field.wrong").count() == len(ODD)
        assert page.locator("script").count() == 2
        assert page.locator("img").count() == 0
        # Chromium writes the answer that was refused to the console.
        assert [fault for fault in opened.faults if "status of 422" not in fault] == []


@pytest.mark.parametrize("fonts", FONT_SETS, ids=lambda fonts: fonts.name)
def test_the_page_is_as_wide_as_its_window(odd: Handler, open_page: Open, fonts: FontSet) -> None:
    with served(odd) as url:
        page = open_page(url, fonts, viewport={"width": 1200, "height": 900}).page
        for width in (1200, 390, 320):
            page.set_viewport_size({"width": width, "height": 900})
            wait(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_field_has_a_label_and_every_control_a_name(url: str, open_page: Open) -> None:
    page = open_page(url).page
    wait(page)
    controls = page.locator("input, select, button")
    names = controls.evaluate_all(
        "all => all.map((its) => its.ariaLabel || (its.labels?.[0]?.innerText ?? its.innerText))"
    )
    assert len(names) == 7 + 2 + 1 + 2  # fields, sliders, the feature that is moved, buttons
    assert all(names)
    for drawing in page.locator("svg").all():
        assert drawing.get_attribute("role") == "img"
        assert drawing.get_attribute("aria-label")
    ids = page.evaluate("Array.from(document.querySelectorAll('[id]'), (its) => its.id)")
    assert len(ids) == len(set(ids))


def test_the_package_for_lambda_has_no_page() -> None:
    from export.package import ROOT

    assert not [path for path in (ROOT / "runtime").rglob("*") if path.suffix in (".html", ".css", ".js")]
    assert (Path(ROOT) / "local" / "page" / "page.html").is_file()
