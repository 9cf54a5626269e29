"""Where papers come from: the Hugging Face Daily Papers API or any RSS/Atom feed of papers."""

from bot.feed.error import FeedError
from bot.feed.fetch import Fetcher
from bot.feed.source import Feed

__all__ = ["Feed", "FeedError", "Fetcher"]
