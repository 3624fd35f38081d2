"""What a run reports, and how others follow it."""
