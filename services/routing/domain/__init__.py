"""The rules of routing: what each step does to a matter and who is offered it; no clock, no ids, no input or output."""
