"""Followup's HTML: the live page, its stream, and the documents of the whole stack."""
