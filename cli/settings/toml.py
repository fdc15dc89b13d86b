"""A TOML file of settings and its tables, before any value in it is read."""

import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path

from cli.errors import WRONG_USAGE, UserError
from cli.settings.origin import Origin
from cli.words import did_you_mean, nearest, shown, suggested_file


def read_toml(path: Path, flag: str = "--config") -> dict[str, object]:
    """The content of a TOML file that a flag names. Raises UserError, exit status 2, where it cannot be read."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n"))
    except FileNotFoundError:
        problem = f"no such file{suggested_file(path)}; give {flag} an existing TOML file"
    except IsADirectoryError:
        problem = f"expected a TOML file, got a folder; give {flag} the file in it"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 text (byte {error.start + 1}); save it as UTF-8"
    except RecursionError:
        problem = "not valid TOML: lists or tables in each other, too deep to read; correct it there"
    except tomllib.TOMLDecodeError as error:
        problem = f"not valid TOML: {error}; correct it there"
    except ValueError:  # int()'s
        problem = "not valid TOML: a number of thousands of digits; correct it there"
    raise UserError(f"{path}: {problem}", WRONG_USAGE)


def tables_of(
    content: Mapping[str, object], known: Collection[str], origin: Origin, *, others: bool = False
) -> dict[str, dict[str, object]]:
    """The known tables of a document. Raises UserError, exit status 2, for another table or what is not a table.

    With `others` the document serves other commands too: tables whose names are near to no known one are left out.
    """
    tables = {}
    for name, table in content.items():
        if name not in known:
            if others and nearest(name, known) is None:
                continue
            origin.refuse(name, f"unknown table; {did_you_mean(name, known)}")
        if not isinstance(table, Mapping):
            origin.refuse(name, f"expected a table, [{name}], got {shown(table)}")
        tables[name] = dict(table)
    return tables
