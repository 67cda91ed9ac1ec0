"""The simulated Buffer: its published schema, executed for real. Facts are those of November 2026."""
