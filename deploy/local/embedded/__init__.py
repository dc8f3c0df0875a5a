"""PostgreSQL and Kafka out of packages, run as child processes."""
