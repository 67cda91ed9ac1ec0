from accounts.models.connections import ConnectedAccount, Credential, Grant, OAuthTicket
from accounts.models.machines import ApiKey, IdempotentAnswer
from accounts.models.notifications import Notification
from accounts.models.operation import DataDeletion, EncryptionKey, OperatorNotice
from accounts.models.people import Membership, Role, User, Workspace

__all__ = [
    "ApiKey",
    "ConnectedAccount",
    "Credential",
    "DataDeletion",
    "EncryptionKey",
    "Grant",
    "IdempotentAnswer",
    "Membership",
    "Notification",
    "OAuthTicket",
    "OperatorNotice",
    "Role",
    "User",
    "Workspace",
]
