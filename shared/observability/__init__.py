"""What the project says of itself while it works."""
