"""The parser of every command."""

import argparse
from typing import Any, NoReturn

from cli.errors import WRONG_USAGE
from cli.words import nearest


class Parser(argparse.ArgumentParser):
    """The parser of every command: a mistake is one line, with the nearest flag where one is unknown."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **settings})

    def error(self, message: str) -> NoReturn:
        """Exit with status 2 and one line that names the wrong argument and the nearest flag."""
        unknown = message.removeprefix("unrecognized arguments: ")
        if unknown != message:
            flag = unknown.split()[0].partition("=")[0]
            suggestion = nearest(flag, self._option_string_actions)
            message = f"unknown flag {flag}" if flag.startswith("-") else f"unexpected argument {flag}"
            message += f"; did you mean {suggestion}?" if suggestion else ""
        self.exit(WRONG_USAGE, f"{self.prog}: {message} (--help lists the flags)\n")
