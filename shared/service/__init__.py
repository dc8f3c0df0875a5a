"""What each service starts with: settings, the server process."""
