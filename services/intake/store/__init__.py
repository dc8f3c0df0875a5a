"""SQL of intake; functions take a connection and never commit."""
