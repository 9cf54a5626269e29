"""All queries. Functions take the connection of an open transaction: callers decide what belongs into one."""

from sqlalchemy.exc import DBAPIError as DatabaseFault

from bot.store.database import Store, StoreError

__all__ = ["DatabaseFault", "Store", "StoreError"]
