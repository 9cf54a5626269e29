"""Has a language model write about papers, checks the texts against their sources, and stores them."""
