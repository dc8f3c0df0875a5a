"""The gateway: one address for the three services, in one process or in front of them."""
