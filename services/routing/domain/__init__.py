"""The rules of routing: who is offered a matter and what an answer does; no clock, no ids, no input or output."""
