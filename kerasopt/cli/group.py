"""A command that has commands of its own, and is one itself."""

from typing import Any

import click


class DefaultGroup(click.Group):
    """A group in which one command need not be named.

    Args:
        default: Name of the command that gets what names none.
    """

    def __init__(self, *args: Any, default: str, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name back that was left out."""
        named = bool(args) and args[0] in self.commands
        return super().parse_args(ctx, args if named else [self.default, *args])


class _AsGroup(click.Context):
    @property
    def command_path(self) -> str:
        return "" if self.parent is None else self.parent.command_path


class Default(click.Command):
    """The command of a `DefaultGroup` that need not be named: its help calls it like the group."""

    context_class = _AsGroup
