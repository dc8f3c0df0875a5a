"""The launcher: brings a stack up on this machine, supervises it, takes it down."""
