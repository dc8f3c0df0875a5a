"""The dispatch catalogue: an office worker's table, checked and compiled into a decision table; no SQL, no HTTP."""
