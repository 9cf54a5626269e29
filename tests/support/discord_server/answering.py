"""Routes of interactions: the first response, follow-ups and edits (interactions/receiving-and-responding)."""

from __future__ import annotations

from typing import Any

from tests.support.discord_server import limits
from tests.support.discord_server.errors import MalformedError, RefusalError
from tests.support.discord_server.interactions import (
    ACKNOWLEDGED,
    AUTOCOMPLETE,
    CHOICES,
    COMPONENT,
    FORM,
    MESSAGE,
    MODAL,
    THINKING,
    UPDATE,
    Interaction,
)
from tests.support.discord_server.messages import EPHEMERAL, LOADING, Json, Message
from tests.support.discord_server.posting import edited, removed
from tests.support.discord_server.service import Call, Service


def answer(service: Service, call: Call) -> Any:
    """POST the first answer to an interaction."""
    interaction = service.by_id.get(call.id("interaction_id"))
    if interaction is None or interaction.token != call.params["interaction_token"]:
        raise RefusalError(10062)
    body = call.body if isinstance(call.body, dict) else {}
    kind, data = body.get("type"), body.get("data") or {}
    if interaction.answer is not None:
        raise RefusalError(40060)
    if kind not in _fitting(interaction):
        raise MalformedError([(("type",), "BASE_TYPE_CHOICES", f"{kind} is no answer to such an interaction")])
    _check_answer(service, call, interaction, kind, data)
    interaction.acknowledge(kind, service.clock.seconds)
    if kind in (MESSAGE, THINKING):
        if kind == THINKING:
            data = {"flags": data.get("flags", 0) | LOADING}
        interaction.original = _make(service, interaction, data, call)
    elif kind == UPDATE and interaction.source is not None:
        interaction.original = interaction.source
        edited(service, interaction.source, data, call)
    elif kind == ACKNOWLEDGED:
        interaction.original = interaction.source
    elif kind == CHOICES:
        interaction.choices = list(data["choices"])
    else:
        interaction.form = data
    service.bell.ring()
    return _outcome(interaction) if call.query.get("with_response", "").lower() in {"1", "true"} else None


def _check_answer(service: Service, call: Call, interaction: Interaction, kind: int, data: Json) -> None:
    """Refuse an answer whose data breaks a limit of its kind."""
    if kind in (MESSAGE, THINKING):
        _check_place(service, interaction)
    if kind in (MESSAGE, UPDATE):
        before = interaction.source.flags if kind == UPDATE and interaction.source else 0
        service.check_message(call, data, before=before, partial=kind == UPDATE, hook=True)
    elif kind == CHOICES:
        limits.check_choices(data)
    elif kind == FORM:
        _check_form(data)
    elif kind == THINKING and (data.get("flags") or 0) & ~EPHEMERAL:
        raise MalformedError([(("data", "flags"), "BITFIELD_INVALID", "Nothing but ephemeral can be said yet")])


def _fitting(interaction: Interaction) -> set[int]:
    if interaction.kind == AUTOCOMPLETE:
        return {CHOICES}
    fitting = {MESSAGE, THINKING}
    if interaction.kind == COMPONENT or interaction.source is not None:
        fitting |= {ACKNOWLEDGED, UPDATE}
    return fitting if interaction.kind == MODAL else fitting | {FORM}


def _check_place(service: Service, interaction: Interaction) -> None:
    """Refuse words in a thread that was locked since the question: none can follow."""
    channel = interaction.channel
    if channel.locked and not channel.lets(service.bot, "manage_threads"):
        raise RefusalError(50001 if interaction.only_user_installed else 50083)


def _check_form(data: Json) -> None:
    faults = list(limits.long(("data", "title"), data.get("title"), 45, 1))
    faults += limits.long(("data", "custom_id"), data.get("custom_id"), 100, 1)
    components = data.get("components")
    if not isinstance(components, list) or not 1 <= len(components) <= 5:
        faults.append((("data", "components"), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length."))
    if faults:
        raise MalformedError(faults)


def _make(service: Service, interaction: Interaction, body: Json, call: Call) -> Message:
    """A message of the bot's in answer to an interaction, hidden from others where it must be."""
    channel = interaction.channel
    silenced = (
        interaction.only_user_installed
        and channel.guild is not None
        and not channel.lets(interaction.person, "use_external_apps")
    )
    if silenced:
        body = body | {"flags": (body.get("flags") or 0) | EPHEMERAL}
    hidden = bool((body.get("flags") or 0) & EPHEMERAL)
    return service.make(channel, service.bot, body, call.files, interaction=interaction, held=not hidden)


def _outcome(interaction: Interaction) -> Json:
    shown = interaction.original
    said: Json = {"id": str(interaction.id), "type": interaction.kind}
    if shown is not None:
        said |= {"response_message_id": str(shown.id), "response_message_ephemeral": shown.ephemeral}
        said["response_message_loading"] = shown.deferred
    outcome: Json = {"interaction": said}
    if interaction.answer in (MESSAGE, THINKING, UPDATE) and shown is not None:
        outcome["resource"] = {"type": interaction.answer, "message": shown.json()}
    return outcome


def _of(service: Service, call: Call) -> Interaction:
    """The interaction whose token the path names; refuses one that is not, or no longer, good."""
    if call.id("webhook_id") != service.bot.id:
        raise RefusalError(10015)
    interaction = service.by_token.get(call.params["webhook_token"])
    if interaction is None:
        raise RefusalError(10015)
    interaction.admit(service.clock.seconds)
    return interaction


def follow_up(service: Service, call: Call) -> Any:
    """POST a further message; the first one after "thinking" takes its place."""
    interaction = _of(service, call)
    body = service.check_message(call, call.body, hook=True)
    for name in ("nonce", "enforce_nonce"):
        if name in body:
            raise MalformedError([((name,), "UNKNOWN_PROPERTY", "A webhook's message takes no nonce")])
    original = interaction.original
    if original is not None and original.deferred and not original.deleted:
        fill(service, original, body, call)
        return original.json()
    interaction.admit_follow_up(service.clock.seconds)
    _check_place(service, interaction)
    message = _make(service, interaction, body, call)
    interaction.follow_ups.append(message)
    service.bell.ring()
    return message.json()


def fill(service: Service, message: Message, body: Json, call: Call) -> None:
    """Say at last what was to be said; whether others see it was settled before."""
    message.flags &= ~LOADING
    message.change(body, call.files, service.clock.now)
    message.edits -= 1
    if not message.ephemeral:
        service.told("MESSAGE_UPDATE", message)
    service.bell.ring()


def _message(service: Service, call: Call) -> tuple[Interaction, Message]:
    interaction = _of(service, call)
    if "message_id" not in call.params:
        found = interaction.original
    else:
        own = [each for each in (interaction.original, *interaction.follow_ups) if each is not None]
        found = next((each for each in own if each.id == call.id("message_id")), None)
    if found is None or found.deleted:
        raise RefusalError(10008)
    return interaction, found


def get_answer(service: Service, call: Call) -> Any:
    """GET the first answer, or a message that followed."""
    return _message(service, call)[1].json()


def edit_answer(service: Service, call: Call) -> Any:
    """PATCH the first answer, or a message that followed."""
    _, message = _message(service, call)
    thinking = message.deferred
    body = service.check_message(call, call.body, before=message.flags & ~LOADING, partial=not thinking, hook=True)
    if thinking:
        fill(service, message, body, call)
        return message.json()
    return edited(service, message, body, call)


def delete_answer(service: Service, call: Call) -> Any:
    """DELETE the first answer, or a message that followed."""
    removed(service, _message(service, call)[1])
