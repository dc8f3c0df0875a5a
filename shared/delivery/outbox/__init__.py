"""From a row to Kafka: recording of events, the relay, republishing."""
