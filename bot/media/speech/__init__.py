"""Editions read aloud: the spoken text, voices, and recordings as MP3 files with chapters."""
