"""The directory over HTTP: entries one at a time, as files, and in pages."""
