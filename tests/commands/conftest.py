"""A reader in a chat, for tests of commands."""

from __future__ import annotations

import pytest

from bot.store import Store
from tests.support.chat import Chat
from tests.support.fake_channel import publish


@pytest.fixture
async def chat(store: Store) -> Chat:
    """A reader who has written nothing yet, the day after an edition of three papers was closed."""
    await publish(store, {})
    return Chat(store)
