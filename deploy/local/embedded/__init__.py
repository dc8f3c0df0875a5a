"""Real servers out of packages, run as child processes; knows nothing of the services."""
