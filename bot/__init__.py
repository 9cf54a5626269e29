"""Morning Papers: each day's AI papers, ranked, in the reader's own language, where the reader already is."""
