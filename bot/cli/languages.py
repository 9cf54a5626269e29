"""`papers languages`: the languages that editions come in."""

from __future__ import annotations

from bot.cli.console import as_json, table
from bot.cli.open_store import stored
from bot.cli.options import Json
from bot.cli.startup import command
from bot.render.catalogue import catalogues, completeness
from bot.render.words import own_name, words
from bot.store import stats

COLUMNS = ("tag", "name", "translated", "offered", "direction", "readers")


@command
async def languages(json: Json = False) -> None:
    """Show the languages and how complete each is.

    For each language: how many of its sentences are translated, whether it is offered to readers (nine tenths and
    all that asks for consent or explains an error), its direction of writing, and its readers.
    """
    async with stored() as store, store.read() as connection:
        readers = await stats.active_by_language(connection)
    rows: list[dict[str, object]] = []
    for tag in catalogues():
        found = completeness(tag)
        row = {
            "tag": tag,
            "name": own_name(tag),
            "translated": found.translated,
            "sentences": found.total,
            "offered": found.offered,
            "direction": words(tag).direction.value,
            "readers": readers.get(tag, 0),
        }
        rows.append(row)
    if json:
        as_json(rows)
    else:
        table(COLUMNS, [[_shown(row, column) for column in COLUMNS] for row in rows])


def _shown(row: dict[str, object], column: str) -> str:
    if column == "translated":
        return f"{row['translated']} of {row['sentences']}"
    if column == "offered":
        return "yes" if row["offered"] else "no"
    return f"{row[column]}"
