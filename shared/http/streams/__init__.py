"""Server-sent events: the guard of open streams, their routes and tickets."""
