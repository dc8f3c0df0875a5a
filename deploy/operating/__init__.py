"""What an operator asks of a stack from outside: its state, its faults, its dead letters."""
