"""Plumbing: database, delivery, HTTP and telemetry. It knows no domain word and imports no service."""
