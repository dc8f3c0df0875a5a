"""SQL of followup: each statement stands above its function; functions take a connection and never commit."""
