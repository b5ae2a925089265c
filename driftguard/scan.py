"""The use case: read, decide, record."""
