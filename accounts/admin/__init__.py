"""The operators' view of people, workspaces and connections. Token columns are never read here."""

from accounts.admin import connections, keys, operation, people, sign_in

__all__ = ["connections", "keys", "operation", "people", "sign_in"]
