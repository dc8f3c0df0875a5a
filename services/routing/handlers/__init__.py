"""Handlers of routing: one function is one batch, one command or one sweep, in the caller's transaction."""
