"""From a record to a row: deduplication, in-order processing, parked messages, dead letters, replay."""
