"""The diagram of rooms in docs/design.md, made from the imports of the code.

`python -m tests.support.room_diagram` prints it; with `--write` it is put into docs/design.md.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DESIGN = ROOT / "docs" / "design.md"
BLOCK = re.compile(r"```mermaid\n.*?```", re.DOTALL)
LEFT_OUT = {"bot", "bot.__main__", "channels"}
"""Packages that hold rooms, and the module that only starts `cli`."""

Arrows = Mapping[str, set[str]]
"""For each room the rooms that it imports: `bot.store`, `channels.email` …"""


@cache
def arrows() -> dict[str, set[str]]:
    """Every room under `bot/` and `channels/`, with the rooms that its files import."""
    found: dict[str, set[str]] = {}
    for folder in ("bot", "channels"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            room = _room_of(".".join(file.relative_to(ROOT).with_suffix("").parts))
            imported = {_room_of(module) for module in _imports(file)}
            found.setdefault(room, set()).update(imported - {room})
    return {room: below - LEFT_OUT for room, below in found.items() if room not in LEFT_OUT}


@cache
def layers() -> list[set[str]]:
    """The layers of the import contract, uppermost first: the rooms of each, as `bot.store`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = [each for each in project["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
    named = [line.replace("(", "").replace(")", "").split(" | ") for line in contract["layers"]]
    return [{f"bot.{name.strip()}" for name in names} - LEFT_OUT for names in named if names != ["__main__"]]


def reduced(every: Arrows) -> dict[str, set[str]]:
    """The arrows without those that follow from others: A → C is left out where A → B and B → C are there."""
    below: dict[str, set[str]] = {}

    def all_below(room: str) -> set[str]:
        if room not in below:
            below[room] = set().union(*({each} | all_below(each) for each in every.get(room, ())))
        return below[room]

    return {
        room: {each for each in direct if not any(each in all_below(other) for other in direct - {each})}
        for room, direct in every.items()
    }


def diagram() -> str:
    """The diagram as a mermaid block."""
    every = arrows()
    lines = ["```mermaid", "flowchart TD"]
    lines += [f'    {_id(room)}["{room.replace(".", "/")}"]' for room in sorted(every, key=_height)]
    for room, below in sorted(reduced(every).items(), key=lambda each: _height(each[0])):
        lines += [f"    {_id(room)} --> {_id(each)}" for each in sorted(below, key=_height)]
    loaded = [room for room in sorted(every) if room.startswith("channels.")]
    lines += [f"    {_id('bot.channel_loader')} -. by name .-> {_id(room)}" for room in loaded]
    return "\n".join([*lines, "```"])


def _height(room: str) -> tuple[int, str]:
    """How far down a room stands; channels stand between the rooms that open them and the port that they know."""
    places = {name: 2 * at for at, layer in enumerate(layers()) for name in layer}
    return places.get(room, places["bot.channel"] - 1), room


def _room_of(module: str) -> str:
    return ".".join(module.removesuffix(".__init__").split(".")[:2])


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.startswith(("bot.", "channels.")))
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module in {"bot", "channels"}:
                yield from (f"{node.module}.{each.name}" for each in node.names)
            elif node.module.startswith(("bot.", "channels.")):
                yield node.module


def _id(room: str) -> str:
    return room.rpartition(".")[2]


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        DESIGN.write_text(BLOCK.sub(lambda _: diagram(), DESIGN.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        sys.stdout.write(diagram() + "\n")
