"""One-line error for a user whose files or settings are wrong, with its exit status."""

FAILED = 1
WRONG_USAGE = 2


class UserError(Exception):
    """A mistake of the user's, in one line: where, what was expected, what came, what to do.

    A command prints the line without a traceback and ends with `exit_status`: 1 for data and files,
    2 for settings and flags.
    """

    def __init__(self, message: str, exit_status: int = FAILED) -> None:
        super().__init__(" ".join(message.split("\n")))
        self.exit_status = exit_status
