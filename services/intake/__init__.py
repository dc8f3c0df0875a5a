"""Intake: registers requests, issues receipts, and shows their holders the progress."""
