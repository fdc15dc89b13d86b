"""The one exception of this package."""

from cli.errors import UserError


class PackageRefused(UserError):  # noqa: N818  (named for what happened)
    """What was asked for cannot be packaged, or must not be. One line, for a person."""
