"""Commands that other systems send by Kafka."""
