"""All of intake's SQL; each function takes a connection and none commits."""
