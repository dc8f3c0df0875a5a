"""The vocabulary that the services share: words, submissions, events, topics."""
