"""The operators' view of people, workspaces and connections. Token columns are never read here."""

from accounts.admin import connections, operation, people, sign_in

__all__ = ["connections", "operation", "people", "sign_in"]
