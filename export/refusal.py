"""The one exception of this package."""

from cli.errors import UserError


class ExportRefused(UserError):  # noqa: N818  (named for what happened)
    """The export cannot be exact, or has not been shown to be. One line, for a person."""
