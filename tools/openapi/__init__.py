"""Makes the one OpenAPI document of the three services, which is committed and served as `/openapi.json`."""
