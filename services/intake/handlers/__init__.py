"""What intake does: one function for one batch or one command, inside the transaction that it is given."""
