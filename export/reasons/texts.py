"""Texts of each feature in answers, as the manifest has them."""

from export.documents import ReasonsText
from training.reason_texts import said_of
from training.settings import Settings


def texts_of(settings: Settings) -> dict[str, ReasonsText]:
    """For every feature, row maximum and group by name. Texts are by language, "" where none is named."""
    return {
        name: {"text": dict(said.text), "missing": dict(said.missing), "code": said.code, "inquiries": said.inquiries}
        for name, said in said_of(settings).items()
    }
