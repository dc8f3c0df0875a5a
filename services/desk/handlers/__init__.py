"""One command or one page in one transaction: load, decide, persist."""
