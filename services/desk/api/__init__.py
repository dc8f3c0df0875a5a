"""JSON of the desk: the keys that its tokens are verified with."""
