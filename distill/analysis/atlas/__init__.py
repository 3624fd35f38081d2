"""What each entry sounds like, and where a corpus uses it."""
