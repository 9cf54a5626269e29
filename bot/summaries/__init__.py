"""What a language model says about papers: asked for, held against its source, stored, or done without."""
