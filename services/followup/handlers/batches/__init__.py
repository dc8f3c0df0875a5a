"""What followup does with batches of events from Kafka."""
