"""What a notebook shows of distill; the core in `distill` never imports it."""
