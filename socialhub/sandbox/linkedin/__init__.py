"""The simulated LinkedIn. What it demands and refuses is that of version 202609, November 2026."""
