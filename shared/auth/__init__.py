"""Authentication: bearer tokens, JWT with JWKS, rate limiter, brute-force guard."""
