"""The settings as they are written: tables of keys and values, before any value is read."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from cli.errors import WRONG_USAGE, UserError
from cli.words import did_you_mean, shown, suggested_file
from training.settings.keys import Origin

Document = dict[str, dict[str, object]]
TABLES = (
    "data",
    "features",
    "row_max",
    "split",
    "model",
    "xgboost",
    "tuning",
    "score",
    "evaluation",
    "costs",
    "stability",
)


def read_toml(path: Path) -> dict[str, object]:
    """What a TOML file holds. Raises UserError, exit status 2, where there is none to read."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n"))
    except FileNotFoundError:
        problem = f"no such file{suggested_file(path)}; give --config an existing TOML file"
    except IsADirectoryError:
        problem = "expected a TOML file, got a folder; give --config the file in it"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 text (byte {error.start + 1}); save it as UTF-8"
    except tomllib.TOMLDecodeError as error:
        problem = f"not valid TOML: {error}; correct it there"
    raise UserError(f"{path}: {problem}", WRONG_USAGE)


def document_of(content: Mapping[str, object], origin: Origin) -> Document:
    """The tables of a document, all known, each feature as a table (`age = "number"` is short for one)."""
    document: Document = {}
    for name, table in content.items():
        if name not in TABLES:
            origin.refuse(name, f"unknown table; {did_you_mean(name, TABLES)}")
        if not isinstance(table, Mapping):
            origin.refuse(name, f"expected a table, [{name}], got {shown(table)}")
        document[name] = dict(table)
    if "features" in document:
        document["features"] = {
            name: _definition(name, definition, origin) for name, definition in document["features"].items()
        }
    return document


def _definition(name: str, definition: object, origin: Origin) -> dict[str, object]:
    if not name:
        origin.refuse("features", 'expected the name of a column, got ""')
    if isinstance(definition, str):
        return {"type": definition}
    if isinstance(definition, Mapping) and "type" in definition:
        return dict(definition)
    return origin.refuse(
        f"features.{name}",
        f'expected a type or a table with one, got {shown(definition)}; for example {name} = "number"',
    )
