"""What routing does: one function is one batch, one command or one sweep, inside one transaction of the caller's."""
