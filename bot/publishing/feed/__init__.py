"""Reads papers from the Hugging Face Daily Papers API or any RSS or Atom feed of papers."""

from bot.publishing.feed.errors import FeedError
from bot.publishing.feed.source import Feed

__all__ = ["Feed", "FeedError"]
