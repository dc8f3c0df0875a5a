"""The gateway: one address for the services, in one process or in front of them."""
