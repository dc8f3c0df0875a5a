"""The rules of followup: what each step and each piece of news does to a matter; no clock, no ids, no input."""
