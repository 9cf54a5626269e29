"""Pictures and recordings of editions: how they are made, and where they are kept."""
