"""The look of the pages: templates, a style sheet, a script, and the documents they show; it knows no service."""
