"""Backups: taking one, the file, the way back, and what a restored history meets in Kafka."""
