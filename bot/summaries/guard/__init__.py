"""Checks what a language model wrote against its source before anybody reads it."""
