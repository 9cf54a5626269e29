"""Pages that change a subscription: subscribe, confirm, settings, unsubscribe, export, erase."""
