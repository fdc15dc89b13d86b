"""The one exception of this package."""

from cli.errors import UserError


class PackageRefused(UserError):  # noqa: N818  (named for what happened)
    """The model cannot or must not be packaged. One line, for a person."""
