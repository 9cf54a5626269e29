"""Methods for receiving updates: getUpdates and webhooks."""

import re
from typing import Any
from urllib.parse import urlsplit

from tests.support.telegram_server.arguments import Arguments
from tests.support.telegram_server.refusal import bad_request
from tests.support.telegram_server.updates import Update, settings_of_reading
from tests.support.telegram_server.world import World

PORTS = {443, 80, 88, 8443}
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
LOOPBACK = {"127.0.0.1", "localhost"}


async def get_updates(world: World, arguments: Arguments) -> list[Update]:
    allowed = settings_of_reading(arguments.object("allowed_updates", "allowed_updates"))
    offset, limit = arguments.integer("offset"), arguments.integer("limit", 100)
    return await world.updates.get(offset, limit, max(0, arguments.integer("timeout")), allowed)


def set_webhook(world: World, arguments: Arguments) -> bool:
    url, secret, updates = arguments.text("url"), arguments.text("secret_token"), world.updates
    if not url:
        return delete_webhook(world, arguments)
    parts = urlsplit(url)
    if parts.hostname not in LOOPBACK:  # a server of one's own may be told at home, Telegram's at such places alone
        if parts.scheme != "https":
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if (parts.port or 443) not in PORTS:
            raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
    if secret and not SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    allowed = settings_of_reading(arguments.object("allowed_updates", "allowed_updates"))
    updates.allowed = updates.allowed if allowed is None else allowed
    if arguments.truth("drop_pending_updates"):
        updates.pending.clear()
    updates.end_reader("terminated by setWebhook request")
    updates.webhook, updates.secret = url, secret
    return True


def delete_webhook(world: World, arguments: Arguments) -> bool:
    world.updates.webhook = world.updates.secret = ""
    if arguments.truth("drop_pending_updates"):
        world.updates.pending.clear()
    return True


def get_webhook_info(world: World, _: Arguments) -> dict[str, Any]:
    updates = world.updates
    said: dict[str, Any] = {"url": updates.webhook, "has_custom_certificate": False}
    said["pending_update_count"] = len(updates.pending)
    if updates.webhook:
        said["max_connections"] = 40
    if updates.last_error:
        said |= {"last_error_message": updates.last_error, "last_error_date": updates.last_error_date}
    return said | ({"allowed_updates": updates.allowed} if updates.allowed else {})
