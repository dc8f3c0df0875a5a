"""The HTTP/1.1 server: limits of connections and bodies."""
