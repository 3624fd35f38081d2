"""The continuous baseline: a Gaussian bottleneck in the place of codebooks."""
