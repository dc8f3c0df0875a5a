"""What people and systems order: each a command, in one transaction."""
