"""The types of what is sent, with what reads, folds and checks them: moments, texts, phones, credit codes."""
