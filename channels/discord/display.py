"""Shows responses to interactions: in the deferred message, or in a new one where the old cannot hold them."""

from __future__ import annotations

import io
import logging
from typing import Any

import discord

from bot.channel import Memory
from channels.discord.components import StoredLines, view_of
from channels.discord.container import layout_of
from channels.discord.destinations import CHANNEL
from channels.discord.errors import UNACCEPTABLE
from channels.discord.responses import Response

log = logging.getLogger(__name__)


async def show(interaction: discord.Interaction, response: Response, memory: Memory, *, beside: bool = False) -> None:
    """Show a response in the deferred message, or `beside` a message that is worth keeping.

    A message of Components V2 remains one (components/reference): what no container holds takes its place in a new
    message.
    """
    updated = None
    if interaction.response.type is discord.InteractionResponseType.deferred_message_update:
        updated = interaction.message
    embeds = [discord.Embed.from_dict(embed) for embed in response.embeds]
    if beside and updated is not None:
        await interaction.followup.send(content=response.content or "", embeds=embeds, ephemeral=True)
        return
    stays = updated is not None and updated.flags.components_v2
    container = response.container or (response.contained() if stays else None)
    stored_lines = StoredLines()
    if container is not None:
        layout = layout_of(container, response.rows, stored_lines, response.above)
        await stored_lines.save(memory)
        if await _is_taken(interaction, layout):
            return
    view = view_of(response.rows, stored_lines)
    await stored_lines.save(memory)
    file = response.file
    files = [discord.File(io.BytesIO(file.content), filename=file.name)] if file is not None else []
    if updated is None or not stays:
        await interaction.edit_original_response(content=response.content, embeds=embeds, view=view, attachments=files)
        return
    arguments: dict[str, Any] = {"content": response.content or "", "embeds": embeds, "files": files}
    if view is not None:
        arguments["view"] = view
    await interaction.followup.send(**arguments, ephemeral=updated.flags.ephemeral)
    await interaction.delete_original_response()


async def _is_taken(interaction: discord.Interaction, layout: discord.ui.LayoutView) -> bool:
    """Show a layout in the deferred message. Returns whether Discord accepts it."""
    try:
        await interaction.edit_original_response(content=None, embeds=[], view=layout, attachments=[])
    except discord.HTTPException as error:
        if error.code not in UNACCEPTABLE:
            raise
        log.warning("container refused, shown as embeds", extra={"channel": CHANNEL, "code": error.code})
        return False
    return True
