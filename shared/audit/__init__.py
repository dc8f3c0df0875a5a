"""Hash chains over append-only tables beside the history, and their verification."""
