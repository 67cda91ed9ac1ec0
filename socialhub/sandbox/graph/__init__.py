"""The Graph API of the sandbox, version 26.0 as of November 2026."""
