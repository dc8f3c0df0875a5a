"""Who calls: bearer tokens, JWT with JWKS, rate limiting, the brute-force guard."""
