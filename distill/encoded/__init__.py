"""One sound as a model has encoded it: what codes and latents have in common."""
