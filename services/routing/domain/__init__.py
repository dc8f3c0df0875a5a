"""The rules of routing: what each step does to a matter and who gets the offer, as pure functions."""
