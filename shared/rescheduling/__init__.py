"""Rescheduling orders: a person orders open limits to be recomputed, each service does so in bounded batches."""
