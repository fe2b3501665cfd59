"""Where threads are kept: savers, their records, and the claims on open questions."""
