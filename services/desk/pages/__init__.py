"""The desk's HTML: the live page and its stream, sign-in, and the documents of the whole stack."""
