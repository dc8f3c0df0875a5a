"""What the services share: contracts, the working calendar, and plumbing."""
