"""The rules of the newsletter, pure: stored state and the current time in, decisions out; no I/O."""
