"""Delivery by Kafka: consume, in-order processing, inbox, outbox, commands, dead letters, replay."""
