"""The tests; helpers for them live beside them."""
