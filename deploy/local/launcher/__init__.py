"""Brings a whole stack up on this machine, keeps it up and takes it down; holds no rule of the domain."""
