"""A group of commands whose modules are imported when a command is named, not when help lists them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a command is, as `module:attribute`, and the line that help shows for it.

    The attribute is a function, which becomes one command, or a typer application, which becomes a group.
    """

    where: str
    summary: str
    context: str = ""
    """What the group's commands find in `context.obj`: a class, as `module:attribute`, made with the group's name."""


class LazyCommands(Mapping[str, Any]):
    """Commands by name, each imported when it is first looked up."""

    def __init__(self, known: Mapping[str, LazyCommand]) -> None:
        self.known = known
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = _load(name, self.known[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)


class LazyGroup(TyperGroup):
    """A command group that lists its commands from a table. Subclasses set `known`."""

    known: ClassVar[Mapping[str, LazyCommand]] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes | {"commands": LazyCommands(self.known)})

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - it lists the same wherever it is asked
        """The names, in the table's order."""
        return list(self.known)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write the list of commands from their summaries, so that no command is imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in self.known.items()])


def _load(name: str, command: LazyCommand) -> Any:
    found = _attribute(command.where)
    if isinstance(found, typer.Typer):
        group = typer.main.get_group(found)
        group.name = name
        if command.context:
            group.context_settings["obj"] = _attribute(command.context)(name)
        return group
    alone = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
    alone.command(name)(found)
    return typer.main.get_command(alone)


def _attribute(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)
