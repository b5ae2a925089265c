"""The composition root: settings in, working objects out."""
