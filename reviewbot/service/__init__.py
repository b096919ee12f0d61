"""The GitHub service: webhook in, durable jobs, review out."""
