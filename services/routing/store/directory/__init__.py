"""The SQL of the directory: its entries, as people read them, as they were published, and as choices see them."""
