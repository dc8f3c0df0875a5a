"""Intake: takes what is asked, gives a receipt, and keeps its holder informed."""
