"""Start of each service: settings, the server process."""
