"""A trained model in use: sound to codes and back."""
