"""What a pull request changes: files, hunks, lines."""
