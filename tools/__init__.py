"""What only a developer runs: OpenAPI and AsyncAPI documents, schemas and their compatibility, licences, figures."""
