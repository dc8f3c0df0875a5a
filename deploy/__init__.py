"""Starts, prepares and operates a stack: on one machine, by compose, and its sample town."""
