"""The parser of every command."""

import argparse
import re
from typing import Any, NoReturn

from cli.errors import WRONG_USAGE
from cli.words import nearest

NO_NUMBER = re.compile(r"argument (\S+): invalid (int|float) value: (.*)", re.DOTALL)  # argparse's words
KINDS = {"int": "a whole number", "float": "a number"}


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
        if number := NO_NUMBER.fullmatch(message):
            message = f"argument {number[1]}: expected {KINDS[number[2]]}, got {number[3]}"
        self.exit(WRONG_USAGE, f"{self.prog}: {message} (--help lists the flags)\n")
