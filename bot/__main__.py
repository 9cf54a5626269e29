"""`python -m bot` is the `papers` command."""

from bot.cli import main

main()
