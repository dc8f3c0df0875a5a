"""A stack on one machine: the launcher and its embedded servers."""
