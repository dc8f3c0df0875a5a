"""Orders to compute open limits anew: asked for by a person, carried out by each service in bounded batches."""
