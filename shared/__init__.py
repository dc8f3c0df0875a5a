"""What the three services share: contracts, the working calendar and plumbing that knows no domain word."""
