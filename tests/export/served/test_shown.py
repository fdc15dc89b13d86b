"""The reasons on the page of runtime.local and in the report are those of the answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from local.page import page_of
from local.server import Server
from tests.export.served.exported import WITH_REASONS, ask, handler, handler_of, part_of
from training.artifacts import Artifacts
from training.explained import explained
from training.reasons import REFERENCE_ROWS
from training.settings import settings_from_dict

pytestmark = pytest.mark.tier("land")

MORE = WITH_REASONS


def test_the_local_page_shows_the_reasons_of_the_answer(model: Path, open_page: Callable[..., Any]) -> None:
    its = handler_of(model)
    with Server(its, pages={"/": page_of(its.service)}, quiet=True) as server:
        opened = open_page(f"{server.url}/")
        page = opened.page
        names = page.locator(".field .name").all_inner_texts()
        values = {"income": "900.5", "age": "", "late_1": "4", "late_2": ""}
        for name, text in values.items():
            page.locator(f"#field-{names.index(name)}").fill(text)
        for name, word in (("has_paid", "no"), ("shop", "shoes")):
            page.locator(f"#field-{names.index(name)}").select_option(label=word)
        page.locator("body:not(.stale) #curve[aria-busy=false] svg").wait_for()
        applicant = {"uuid": "1", "income": 900.5, "age": None, "late_1": 4, "late_2": None, "has_paid": False}
        answer = ask(its, {**applicant, "shop": "shoes"}, "explain=all")[1]
        shown = page.locator("#named .points").all_inner_texts()
        assert [float(text.replace("−", "-")) for text in shown] == [each["points"] for each in answer["reasons"]]
        assert "Income is low" in page.locator("#named").inner_text()
        bars = page.locator("#bars li")
        points = {
            bar.get_attribute("title"): float(bar.locator(".points").inner_text().replace("−", "-"))
            for bar in bars.all()[1:-1]
        }
        assert points == answer["points"]
        ends = [bars.nth(0).locator(".points").inner_text(), bars.last.locator(".points").inner_text()]
        assert ends == [f"{answer['base_points']:.2f}", f"{answer['credit_score']:.2f}"]
        assert "900 reference applicants" in page.locator("#basis").inner_text()
        assert opened.faults == []
    never = handler(model, EXPLAIN="never")
    with Server(never, pages={"/": page_of(never.service)}, quiet=True) as server:
        opened = open_page(f"{server.url}/")
        opened.page.locator("body:not(.stale) #curve[aria-busy=false] svg").wait_for()
        assert not opened.page.locator("#reasons").is_visible()
        assert opened.faults == []


def test_the_report_shows_the_points_that_are_served(artifacts: Artifacts, model: Path) -> None:
    settings = settings_from_dict(artifacts.run["settings"])
    parts = {"train": part_of(artifacts, artifacts.drawn[REFERENCE_ROWS].iloc[:, :-1])}
    parts["test"] = part_of(artifacts, artifacts.sample.iloc[:300].reset_index(drop=True))
    evidence, why = explained(settings, artifacts.pipeline, parts, artifacts.run["bands"], None)
    assert why == ""
    assert evidence is not None
    assert len(evidence.waterfalls) == 3
    frame: Any = parts["test"].frame.astype(object).where(parts["test"].frame.notna(), None)
    paid = {1.0: True, 0.0: False, None: None}
    for waterfall in evidence.waterfalls:
        steps = sorted((size, name.split(":")[0]) for name, size in waterfall.steps)
        alike = []
        for row in np.flatnonzero(np.round(parts["test"].score, 2) == waterfall.total):
            raw = frame.iloc[row].to_dict()
            served = ask(handler_of(model), {"uuid": "1", **raw, "has_paid": paid[raw["has_paid"]]}, "explain=all")[1]
            assert waterfall.base == served["base_points"]
            assert served["reasons_basis"]["reference_rows"] == evidence.rows
            alike.append(sorted((points, name) for name, points in served["points"].items() if points) == steps)
        assert any(alike)


def test_a_reference_that_leaves_too_few_rows_leaves_the_report_without_reasons(artifacts: Artifacts) -> None:
    part = part_of(artifacts, artifacts.sample.iloc[:300].reset_index(drop=True))
    settings = settings_from_dict(artifacts.run["settings"] | {"reasons": {"reference": "at-cutoff", "cutoff": 5_000}})
    evidence, why = explained(settings, artifacts.pipeline, {"train": part, "test": part}, artifacts.run["bands"], None)
    assert evidence is None
    assert "at-cutoff: expected 100 rows or more, found 0" in why
    wanted = settings_from_dict(artifacts.run["settings"] | {"reasons": {"reference": "none"}})
    assert explained(wanted, artifacts.pipeline, {"train": part, "test": part}, artifacts.run["bands"], None)[1] == ""
