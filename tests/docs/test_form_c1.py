"""The table of form C-1 in docs/reasons.md: 23 texts, each once."""

from tests.docs.snippets import ROOT


def test_the_table_has_the_23_texts_of_the_form() -> None:
    page = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")
    section = page.split("## Form C-1\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    texts = [cell.strip() for row in rows for cell in row if cell.strip()]
    assert len(texts) == len(set(texts)) == 23
    assert {"Length of residence", "No credit file", "Number of recent inquiries on credit bureau report"} <= set(texts)
