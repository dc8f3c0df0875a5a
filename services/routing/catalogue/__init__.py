"""Dispatch catalogue: checks an office worker's table and compiles it into a decision table."""
