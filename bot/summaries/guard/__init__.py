"""Checks what a language model wrote against its source, for hallucinations, before anybody reads it."""
