"""The reference page of declared settings, in Markdown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cli.settings.declared import Setting, settings_of
from cli.settings.flags import METAVARS
from cli.words import shown

HEAD = "| key | meaning | expected | default | flag | example |\n|---|---|---|---|---|---|\n"


def page_of(tables: Mapping[str, type], titles: Mapping[str, str], flags: Mapping[str, Sequence[str]]) -> str:
    """A section for each table of the TOML, named by its title where it has one, with a row for each key.

    `flags` has those of settings, by dotted key, that are not set by a flag of their own.
    """
    sections = []
    for name, declared in tables.items():
        rows = [_row(setting, flags.get(f"{name}.{key}")) for key, setting in settings_of(declared).items()]
        about = " ".join((declared.__doc__ or "").split())
        sections.append(f"## `[{titles.get(name, name)}]`\n{about}\n\n{HEAD}" + "".join(rows))
    return "\n".join(sections)


def _row(setting: Setting, flags: Iterable[str] | None) -> str:
    description = setting.description[0].upper() + setting.description[1:]
    cells = [f"`{setting.name}`", description, setting.expected, _default(setting)]
    cells += [", ".join(f"`{each}`" for each in (_flags(setting) if flags is None else flags)) or "none"]
    return f"| {' | '.join([*cells, f'`{setting.name} = {shown(setting.example)}`'])} |\n"


def _default(setting: Setting) -> str:
    if setting.default in (None, (), ""):
        return setting.usage.unset or "none"
    return f"`{shown(setting.default)}`"


def _flags(setting: Setting) -> Iterator[str]:
    if setting.kind is bool:
        yield from (setting.flag, setting.flag.replace("--", "--no-", 1))
    elif setting.choices:
        yield f"{setting.flag} CHOICE"
    else:
        yield f"{setting.flag} {setting.usage.metavar or METAVARS[setting.kind]}"
