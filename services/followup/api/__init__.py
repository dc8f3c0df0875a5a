"""Followup's HTTP edge: parse, one handler call, answer."""
