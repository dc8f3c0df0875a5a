"""What an operator does to a stack from outside: status, doctor, backup, restore, dead letters, audit, erasure."""
