"""The rules of each step that people take on a matter."""
