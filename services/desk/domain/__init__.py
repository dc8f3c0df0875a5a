"""Rules: frozen values and pure functions."""
