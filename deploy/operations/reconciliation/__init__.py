"""Compares what the services know of the same matters, and mends what stays wrong."""
