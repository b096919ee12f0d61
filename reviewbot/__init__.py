"""Pull-request reviews: local model for most, Claude for the risky ones, every dollar shown."""

__version__ = "0.1.0"
