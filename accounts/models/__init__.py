from accounts.models.connections import ConnectedAccount, Credential, Grant, OAuthTicket
from accounts.models.notifications import Notification
from accounts.models.people import Membership, Role, User, Workspace

__all__ = [
    "ConnectedAccount",
    "Credential",
    "Grant",
    "Membership",
    "Notification",
    "OAuthTicket",
    "Role",
    "User",
    "Workspace",
]
