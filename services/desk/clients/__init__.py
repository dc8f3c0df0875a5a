"""Calls to the other services, and the tokens that they are made with."""
