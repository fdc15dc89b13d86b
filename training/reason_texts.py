"""What an answer says of each reason: the user's texts, else the description of the feature."""

from collections.abc import Mapping
from dataclasses import dataclass

from training.settings import ReasonText, Settings


@dataclass(frozen=True)
class Said:
    """Texts by language, "" where none is named."""

    text: Mapping[str, str]
    missing: Mapping[str, str]
    code: str
    inquiries: bool


def said_of(settings: Settings) -> dict[str, Said]:
    """For every feature, row maximum and group by name."""
    described = {feature.name: feature.description for feature in settings.features}
    names = [*described, *settings.row_max, *settings.reason_groups]
    return {
        name: _said(described.get(name) or name.replace("_", " "), settings.reason_texts.get(name)) for name in names
    }


def _said(described: str, own: ReasonText | None) -> Said:
    """A language without a text for a missing value has its usual text there.

    >>> _said("debt in recovery", None).missing
    {'': 'Debt in recovery: no value'}
    >>> _said("", ReasonText({"en": "Debt", "de": "Schulden"}, {"de": "Schulden fehlen"})).missing
    {'en': 'Debt', 'de': 'Schulden fehlen'}
    """
    own = own or ReasonText()
    text = dict(own.text) or {"": described[:1].upper() + described[1:]}
    if "" in text:
        missing = dict(own.missing) or {"": f"{text['']}: no value"}
    else:
        missing = dict(own.missing) if "" in own.missing else text | dict(own.missing)
    return Said(text, missing, own.code, own.inquiries)
