"""Memory that threads share: items by namespace and key."""
