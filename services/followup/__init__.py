"""Followup: carries each matter from its registration to its end, and sees to it that no promise is forgotten."""
