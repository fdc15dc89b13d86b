"""The one exception of this package."""

from cli.errors import UserError


class ExportRefused(UserError):  # noqa: N818  (named for what happened)
    """What was asked for cannot be exported exactly, or has not been shown to be exact. One line, for a person."""
