"""Hash chains over what was recorded, their verification, and erasure of persons."""
