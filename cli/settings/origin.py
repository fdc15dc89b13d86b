"""The source of a setting, which every refusal names first."""

from dataclasses import dataclass
from typing import NoReturn

from cli.errors import WRONG_USAGE, UserError


@dataclass(frozen=True, slots=True)
class Origin:
    """The TOML file, if any, and the dotted keys that the command line sets."""

    file: str | None = None
    flagged: frozenset[str] = frozenset()

    def of(self, key: str) -> str:
        """The file, or `command line`, that a dotted key, or a part of what it holds, was read from."""
        on_command_line = any(f"{key}.".startswith(f"{flag}.") for flag in self.flagged)
        return self.file if self.file is not None and not on_command_line else "command line"

    def refuse(self, key: str, problem: str) -> NoReturn:
        """Raise UserError with status 2: where the setting came from, its key, the problem."""
        raise UserError(f"{self.of(key)}: {key}: {problem}", WRONG_USAGE)
