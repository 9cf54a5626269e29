"""The full text of a paper, from arXiv, Hugging Face or its PDF, and its figures."""
