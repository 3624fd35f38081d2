"""Makes the priors that a prior over anybody's codes starts from."""
