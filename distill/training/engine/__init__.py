"""What is the same whatever is trained: budget, steps, epochs, devices."""
