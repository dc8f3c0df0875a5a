"""Starts Liaison and the servers it needs on a machine; holds no rule of the domain."""
