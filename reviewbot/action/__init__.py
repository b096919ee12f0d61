"""reviewbot as a GitHub Action: one step of a job reviews one pull request through the API."""
