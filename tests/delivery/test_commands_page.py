"""docs/commands.md is what the parsers say."""

import pytest

from delivery.commands_page import PAGE, page


@pytest.mark.tier("land")
def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m delivery.commands_page"
