"""What an answer says of each feature: the user's texts, else its description."""

from export.documents import ReasonsText
from training.settings import ReasonText, Settings


def texts_of(settings: Settings) -> dict[str, ReasonsText]:
    """For every feature, row maximum and group by name. Texts are by language, "" where none is named."""
    described = {feature.name: feature.description for feature in settings.features}
    names = [*described, *settings.row_max, *settings.reason_groups]
    return {
        name: _text(described.get(name) or name.replace("_", " "), settings.reason_texts.get(name)) for name in names
    }


def _text(described: str, own: ReasonText | None) -> ReasonsText:
    """
    >>> _text("debt in recovery", None)["missing"]
    {'': 'Debt in recovery: no value'}
    """
    own = own or ReasonText()
    text = dict(own.text) or {"": described[:1].upper() + described[1:]}
    missing = dict(own.missing) or {language: f"{its}: no value" for language, its in text.items() if not language}
    return {"text": text, "missing": missing or text, "code": own.code, "inquiries": own.inquiries}
