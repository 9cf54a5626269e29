"""Keyboards under messages: which buttons Telegram takes."""

from typing import Any

from tests.support.telegram_server.arguments import Arguments
from tests.support.telegram_server.links import LinkError, check_link
from tests.support.telegram_server.refusal import bad_request

Button = dict[str, Any]

BUTTONS, IN_A_ROW, DATA, COPIED = 100, 8, 64, 256
"""Most buttons of a keyboard and of a row; most bytes of callback_data; most characters of a copied text."""

KINDS = (
    *("url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat"),
    *("switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay"),
)


def read_keyboard(arguments: Arguments) -> dict[str, Any] | None:
    """The reply_markup of a call: an inline keyboard, checked, or another kind, as it is. Raises RefusalError."""
    return check_markup(arguments.object("reply_markup", "reply keyboard markup"))


def check_markup(markup: Any) -> dict[str, Any] | None:
    if markup is None or markup == {}:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "keyboard" in markup:
        return _reply_keyboard(markup)
    if "inline_keyboard" not in markup:
        return markup
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list):
        raise bad_request('field "inline_keyboard" of the InlineKeyboardMarkup must be of type Array')
    if any(not isinstance(row, list) for row in rows):
        raise bad_request("inline keyboard must be an Array of Arrays")
    checked = [[_button(button) for button in row] for row in rows if row]
    if sum(map(len, checked)) > BUTTONS or any(len(row) > IN_A_ROW for row in checked):
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": checked} if checked else None


def asks_for_location(markup: dict[str, Any] | None) -> bool:
    """Whether a key of the keyboard sends the place where a person is."""
    return any(key.get("request_location") for row in (markup or {}).get("keyboard", []) for key in row)


def _reply_keyboard(markup: dict[str, Any]) -> dict[str, Any]:
    """A keyboard that stands in place of the phone's own: keys of text, or that send something."""
    rows = markup["keyboard"]
    if not isinstance(rows, list) or any(not isinstance(row, list) for row in rows):
        raise bad_request('field "keyboard" of the ReplyKeyboardMarkup must be of type Array')
    keys = [[{"text": key} if isinstance(key, str) else key for key in row] for row in rows if row]
    if not keys:
        raise bad_request("reply markup must have at least one button")
    if any(not isinstance(key, dict) or not str(key.get("text", "")).strip() for row in keys for key in row):
        raise bad_request("keyboard button text must be non-empty")
    return {**markup, "keyboard": keys}


def _button(button: Any) -> Button:
    if not isinstance(button, dict):
        raise bad_request("can't parse inline keyboard button: expected an Object")
    label = button.get("text")
    if not isinstance(label, str):
        raise bad_request("can't parse inline keyboard button: Can't find field \"text\"")
    if not label.strip():
        raise bad_request("inline keyboard button text must be non-empty")
    given = [kind for kind in KINDS if kind in button]
    if len(given) > 1:
        raise bad_request("REFERENCE: a button does exactly one thing")
    if "url" in button:
        try:
            return {**button, "url": check_link(str(button["url"]))}
        except LinkError as error:
            raise bad_request(f"inline keyboard button URL '{button['url']}' is invalid: {error}") from None
    if not given or button.get("callback_data") == "":
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if "callback_data" in button and len(str(button["callback_data"]).encode()) > DATA:
        raise bad_request("BUTTON_DATA_INVALID")
    if "copy_text" in button and not 1 <= len(str((button["copy_text"] or {}).get("text", ""))) <= COPIED:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")
    return dict(button)
