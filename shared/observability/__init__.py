"""Logging, metrics and tracing, none of them with personal data."""
