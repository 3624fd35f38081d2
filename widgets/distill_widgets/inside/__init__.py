"""Looking and listening inside a model's codes."""
