"""`driftguard check`: templates read, judged and printed."""
