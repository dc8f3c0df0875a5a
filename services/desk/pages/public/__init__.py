"""Pages for people without an account: they ask, and follow their receipt."""
