"""Where papers come from: the Hugging Face Daily Papers API or any RSS/Atom feed of papers."""

from bot.publishing.feed.errors import FeedError
from bot.publishing.feed.source import Feed

__all__ = ["Feed", "FeedError"]
