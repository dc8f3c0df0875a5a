"""What every request passes before its route: trusted proxies, CORS, methods, spans, contained exceptions."""
