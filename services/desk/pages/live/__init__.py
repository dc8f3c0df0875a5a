"""The live page and its stream: what the town asks for and promises, as it changes."""
