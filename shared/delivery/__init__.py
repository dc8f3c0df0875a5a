"""Delivery by Kafka: how far readers are, what was deleted unread, and the configuration of topics."""
