"""Publishes editions: polls the feed, stores its papers, closes the day, the week and the month."""
