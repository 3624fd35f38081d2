"""The RVQ-VAE: its network and its codebooks."""
