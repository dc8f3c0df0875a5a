"""The HTTP interface: application factory, problem details, idempotency, group commit, checks of every route."""
