"""The launcher: starts a stack on this machine, supervises it and stops it."""
