"""All SQL of routing; its functions take a connection and never commit."""
