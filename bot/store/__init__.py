"""Every query there is. Functions take the connection of an open transaction, so that callers decide what is one."""

from bot.store.database import Store, StoreError

__all__ = ["Store", "StoreError"]
