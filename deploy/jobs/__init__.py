"""Jobs that prepare a stack: migrations, roles, topics, Kafka users; and a container's health check."""
