"""What steps do to matters: who is chosen for them, the rows and the events, for a batch at once."""
