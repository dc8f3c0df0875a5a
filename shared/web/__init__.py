"""Templates, style sheet, script and documents of the pages."""
