"""`papers languages`: the languages that editions come in."""

from __future__ import annotations

from bot.cli.console import as_json, table
from bot.cli.open_store import stored
from bot.cli.options import Json
from bot.cli.startup import DONE, execute
from bot.render import words
from bot.store import stats

COLUMNS = ("tag", "name", "translated", "direction", "readers")


def languages(json: Json = False) -> None:
    """Show the languages and how complete each is.

    For each language: how many of its sentences are translated, its direction of writing, and its readers.
    """
    execute(_languages(json))


async def _languages(json: bool) -> int:
    async with stored() as store, store.read() as connection:
        readers = await stats.active_by_language(connection)
    rows = []
    for tag in words.languages():
        translated, sentences = words.completeness(tag)
        row = {
            "tag": tag,
            "name": words.own_name(tag),
            "translated": translated,
            "sentences": sentences,
            "direction": words.words(tag).direction.value,
            "readers": readers.get(tag, 0),
        }
        rows.append(row)
    if json:
        as_json(rows)
    else:
        shown = [row | {"translated": f"{row['translated']} of {row['sentences']}"} for row in rows]
        table(COLUMNS, [[f"{row[column]}" for column in COLUMNS] for row in shown])
    return DONE
