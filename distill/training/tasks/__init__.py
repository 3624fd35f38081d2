"""Tasks: what is learned by each family, behind the interface that the engine knows."""
