"""All SQL of followup: each statement above its only function; takes a connection and never commits."""
