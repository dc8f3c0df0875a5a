"""What followup does: one function is one batch of messages, one step or one question, in the caller's transaction."""
