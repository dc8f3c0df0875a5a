"""SQL of routing; functions take a connection and never commit."""
