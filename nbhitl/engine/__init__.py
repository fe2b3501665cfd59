"""The superstep engine: plan tasks, run them, apply their writes. Deciding is pure, drivers do the I/O."""
