"""The declarations: complete, with examples that hold, and with a reference page that is theirs."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.settings.declared import Setting, settings_of
from cli.settings.origin import Origin
from training.options import build_parser
from training.settings import Settings, settings_as_dict
from training.settings.__main__ import FLAGS, reference_page
from training.settings.tables import DECLARED
from training.settings.xgboost_parameters import REFERENCE

ROOT = Path(__file__).parents[2]
EVERY = [(table, setting) for table, declared in DECLARED.items() for setting in settings_of(declared).values()]


def test_the_reference_page_is_not_stale() -> None:
    """`make settings` writes it."""
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == reference_page()


@pytest.mark.parametrize(("table", "setting"), EVERY, ids=[f"{table}.{setting.name}" for table, setting in EVERY])
def test_a_setting_is_described_and_its_example_and_default_are_valid(table: str, setting: Setting) -> None:
    assert setting.description
    assert setting.example not in (None, (), "")
    setting.read(setting.example, table, Origin())
    if setting.default is not None:
        assert setting.read(setting.default, table, Origin()) == setting.default


def test_every_key_of_the_settings_is_declared() -> None:
    document = settings_as_dict(Settings())
    assert document.keys() == DECLARED.keys()
    for table in DECLARED.keys() - {"features", "row_max", "xgboost", "reason_groups", "reason_texts"}:
        assert document[table].keys() == settings_of(DECLARED[table]).keys()
    assert document["features"]["time_hours"].keys() == settings_of(DECLARED["features"]).keys()


def test_every_flag_of_the_page_is_a_flag() -> None:
    flags = build_parser()._option_string_actions
    for table, setting in EVERY:
        if f"{table}.{setting.name}" in FLAGS:
            assert all(flag.split()[0] in flags for flag in FLAGS[f"{table}.{setting.name}"])
        elif table != "xgboost" or setting.name in REFERENCE:
            assert flags[setting.flag].dest == f"{table}.{setting.name}"
            assert setting.description in (flags[setting.flag].help or "")


@pytest.mark.parametrize(
    "modules", ["runtime.service, runtime.model", "export.package", "deploy.deploy, deploy.rollback, deploy.smoke"]
)
def test_what_serves_packages_and_deploys_needs_no_pydantic(modules: str) -> None:
    code = f"import sys, {modules}; print('pydantic' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
