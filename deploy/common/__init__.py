"""What every part of deploy uses: the data folder, its tokens, the terminal, and Trouble, an error in words."""
