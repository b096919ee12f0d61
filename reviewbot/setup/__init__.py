"""Getting it to run, and seeing that it does: the GitHub App, and `reviewbot doctor`."""
