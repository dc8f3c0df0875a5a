"""HTML: pages for everyone the town works with."""
