"""Publishes editions: poll the feed, store its papers, close the day, the week and the month."""
