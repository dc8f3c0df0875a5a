"""Makes the AsyncAPI document of everything on Kafka, which is committed and served as `/asyncapi.json`."""
