"""HTTP as RFC 9110 has it: what every route checks, methods, preconditions, and the limits of a connection."""
