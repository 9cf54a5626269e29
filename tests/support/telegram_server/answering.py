"""Methods that answer what people tapped, or asked inline."""

from typing import Any

from tests.support.telegram_server.arguments import Arguments
from tests.support.telegram_server.keyboard import check_markup
from tests.support.telegram_server.refusal import bad_request
from tests.support.telegram_server.rich import read_rich
from tests.support.telegram_server.text import CAPTION, TEXT, compose
from tests.support.telegram_server.world import Query, World

ANSWER, RESULTS, RESULT_ID, OFFSET = 200, 50, 64, 64
"""Characters of an answer; results of one; bytes of a result's id and of an offset. core.telegram.org/bots/api."""


def answer_callback_query(world: World, arguments: Arguments) -> bool:
    query = _open(world, arguments.text("callback_query_id"))
    text, url = arguments.text("text"), arguments.text("url")
    if len(text) > ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    if url and not url.lower().startswith(("https://t.me/", "http://t.me/", "t.me/", "tg://")):
        raise bad_request("URL_INVALID")
    query.answered = True
    world.note(query.chat, "answer", text=text, alert=arguments.truth("show_alert"), url=url)
    return True


def answer_inline_query(world: World, arguments: Arguments) -> bool:
    query = _open(world, arguments.text("inline_query_id"))
    results = arguments.object("results", "inline query results")
    if not isinstance(results, list):
        raise bad_request("expected an Array of inline query results")
    if len(results) > RESULTS:
        raise bad_request("RESULTS_TOO_MUCH")
    if len(arguments.text("next_offset").encode()) > OFFSET:
        raise bad_request("NEXT_OFFSET_INVALID")
    checked = [_result(world, result) for result in results]
    ids = [result["id"] for result in checked]
    if len(set(ids)) < len(ids):
        raise bad_request("RESULT_ID_DUPLICATE")
    query.answered, query.results = True, checked
    options = {name: value for name, value in arguments.record().items() if name not in {"results", "inline_query_id"}}
    world.note(query.chat, "inline", results=checked, options=options)
    return True


def _open(world: World, query_id: str) -> Query:
    query = world.open_query(query_id)
    if query is None:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    return query


def _result(world: World, result: Any) -> dict[str, Any]:
    """One result, with what it would send parsed and measured under the key `sends`. Raises RefusalError."""
    if not isinstance(result, dict):
        raise bad_request("can't parse inline query result: expected an Object")
    if not 1 <= len(str(result.get("id", "")).encode()) <= RESULT_ID:
        raise bad_request("RESULT_ID_INVALID")
    markup = check_markup(result.get("reply_markup"))
    content = result.get("input_message_content")
    if result.get("type") == "article":
        if not result.get("title"):
            raise bad_request("can't parse inline query result: Can't find field \"title\"")
        if not isinstance(content, dict):
            raise bad_request("can't parse inline query result: Can't find field \"input_message_content\"")
    mode = str(result.get("parse_mode") or "")
    sends: dict[str, Any]
    if isinstance(content, dict) and "message_text" in content:
        mode = str(content.get("parse_mode") or "")
        text, entities = compose(str(content["message_text"]), mode, content.get("entities"), TEXT)
        sends = {"text": text, "entities": entities, "html": content["message_text"]}
        sends["preview"] = content.get("link_preview_options")
    elif isinstance(content, dict) and "rich_message" in content and world.rich:
        rich, text = read_rich(content["rich_message"])
        sends = {"text": text, "rich": rich, "html": rich.get("html", "")}
    else:
        text, entities = compose(str(result.get("caption") or ""), mode, result.get("caption_entities"), CAPTION)
        sends = {"text": text, "entities": entities, "html": result.get("caption") or ""}
    return {**result, "sends": {**sends, "markup": markup}}
