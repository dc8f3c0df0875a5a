"""The rules of followup: what each step and each event does to a matter, as pure functions."""
