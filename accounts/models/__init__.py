from accounts.models.connections import ConnectedAccount, Credential, Grant, OAuthTicket
from accounts.models.notifications import Notification
from accounts.models.operation import DataDeletion, EncryptionKey, OperatorNotice
from accounts.models.people import Membership, Role, User, Workspace

__all__ = [
    "ConnectedAccount",
    "Credential",
    "DataDeletion",
    "EncryptionKey",
    "Grant",
    "Membership",
    "Notification",
    "OAuthTicket",
    "OperatorNotice",
    "Role",
    "User",
    "Workspace",
]
