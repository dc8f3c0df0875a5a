"""Handlers of intake: one function for one batch or one command, inside the caller's transaction."""
