"""The only vocabulary the services share: words, submissions, events and topics; it holds no rule."""
