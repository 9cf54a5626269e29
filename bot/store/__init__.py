"""All queries. Functions take the connection of an open transaction: callers decide what belongs into one."""

from sqlalchemy.exc import DBAPIError as DatabaseFault
from sqlalchemy.exc import TimeoutError as NoConnectionError  # all are taken, and none came back in time

from bot.store import follow_up_tables, text_tables  # noqa: F401 - so that the schema is whole
from bot.store.database import OutOfReachError, Store, StoreError

__all__ = ["DatabaseFault", "NoConnectionError", "OutOfReachError", "Store", "StoreError"]
