"""The one exception of this room."""

from cli.errors import UserError


class BoosterRefused(UserError):  # noqa: N818  (named for what happened)
    """A booster that holds something not shown to be reproduced to the last bit. One line, for a person."""
