"""What writes have in common: idempotency keys, If-Match, group commit, steps that are commands too."""
