"""Flags of a table that its declared settings alone do not make."""

from cli.settings.flags import Group, NamedLists, named_list


def add_exclude(group: Group) -> None:
    """`--exclude`, for `data.exclude`."""
    group.add_argument(
        "--exclude",
        dest="data.exclude",
        type=named_list,
        action=NamedLists,
        metavar="COLUMN=A,B",
        help="leave out rows of these values; repeatable",
    )
