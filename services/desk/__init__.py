"""The desk: pages and people. What it shows and does it asks of the other services in the name of who is signed in."""
