"""docs/signing.md: a tool that is no dependency of ours signs a model folder, and notices what has changed."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.snippets import ROOT, snippets
from tests.docs.workplace import Workplace

KEYS = (
    "openssl ecparam -name prime256v1 -genkey -noout -out signing.pem\n"
    "openssl ec -in signing.pem -pubout -out signing.pub\n"
)


@pytest.mark.tier("full")
def test_a_folder_is_signed_and_a_change_is_detected(workplace: Workplace, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "tool"], check=True)
    said = re.search("`pip (install [^`]+)`", (ROOT / "docs" / "signing.md").read_text(encoding="utf-8"))
    assert said is not None
    pip = [str(tmp_path / "tool/bin/python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *shlex.split(said[1])], check=True)
    folder = workplace.copy("docs/signing.md")
    [block] = [each for each in snippets(ROOT / "docs" / "signing.md") if each.language == "sh"]
    commands = block.text.replace("model_signing", str(tmp_path / "tool/bin/model_signing"))
    subprocess.run(["bash", "-euc", KEYS + commands], cwd=folder, check=True)
    (folder / "model" / "added").write_text("")
    verify = commands.splitlines()[-1]
    assert subprocess.run(["bash", "-c", verify], cwd=folder, check=False, capture_output=True).returncode != 0
