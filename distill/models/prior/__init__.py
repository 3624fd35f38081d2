"""A prior over the codes of a model: what it learns from, how it draws, and what it copied."""
