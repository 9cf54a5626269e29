"""The web side: pages, feeds, and what machines ask. It listens where there is a port or a public address."""
