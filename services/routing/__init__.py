"""Finds the one party that takes care of a request, and offers it the matter until somebody has it."""
