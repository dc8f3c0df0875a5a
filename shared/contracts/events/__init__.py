"""The events that the services publish, by topic, and what in them is about a person."""
