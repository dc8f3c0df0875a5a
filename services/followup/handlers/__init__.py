"""Handlers of followup: one function is one batch of messages, one step or one query, in the caller's transaction."""
