"""The HTTP interface: application factory, problem details, idempotency, group commit, cursor pagination, checks
of every route.
"""
