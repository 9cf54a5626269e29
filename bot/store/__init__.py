"""Every query there is. Functions take the connection of an open transaction, so that callers decide what is one."""

from sqlalchemy.exc import DBAPIError as DatabaseFault

from bot.store.database import Store, StoreError

__all__ = ["DatabaseFault", "Store", "StoreError"]
