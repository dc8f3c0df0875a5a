"""The Kafka clients: consumer, poll loop, watchdog, lag, lost records, topic settings."""
