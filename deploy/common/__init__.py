"""Common to all of deploy: the data folder, its tokens, the terminal, and Trouble, an error with a remedy."""
