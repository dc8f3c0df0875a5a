"""One address for the three services, in this process or behind it; no rule and no page of its own."""
