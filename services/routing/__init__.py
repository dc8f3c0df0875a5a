"""Routing: chooses the one responsible party for a request, and offers it the matter until a party accepts."""
