"""The one exception of this room."""

from cli.errors import UserError


class BoosterRefused(UserError):  # noqa: N818  (named for what happened)
    """A booster with a part that has not been shown to be reproduced to the last bit. One line, for a person."""
