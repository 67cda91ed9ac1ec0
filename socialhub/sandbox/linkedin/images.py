"""Images: an address to upload to, the bytes, and what becomes of them."""

from __future__ import annotations

import secrets
from typing import Any

from .. import settings
from ..pictures import NotAnImageError, read
from .call import MEDIA_ROLES, READING_SCOPES, Call, Reply, answers
from .errors import LinkedInError, invalid, missing
from .rows import Image

UPLOAD_SECONDS = 3600
MOST_PIXELS = 36_152_320
FORMATS = {"JPEG", "PNG", "GIF"}


@answers("POST", "images")
def initialize_upload(call: Call) -> Reply:
    if call.text("action") != "initializeUpload":
        raise invalid("ILLEGAL_ARGUMENT", "Parameter 'action' must be initializeUpload")
    request = call.body.get("initializeUploadRequest")
    if not isinstance(request, dict) or not isinstance(request.get("owner"), str):
        raise invalid("MISSING_FIELD", "field is required", "/initializeUploadRequest/owner")
    call.may_write_as(request["owner"], MEDIA_ROLES)
    key = secrets.token_urlsafe(24)
    expires_at = call.now + UPLOAD_SECONDS
    image = call.state.add(Image(f"urn:li:image:C4E{call.state.new_number():08d}", request["owner"], key, expires_at))
    value = {
        "uploadUrl": f"{call.base_url}/linkedin/api/dms-uploads/{key}",
        "uploadUrlExpiresAt": int(expires_at * 1000),
        "image": image.id,
    }
    return Reply(body={"value": value})


@answers("PUT", "dms-uploads/*")
def upload(call: Call) -> Reply:
    """The bytes. What is no image is taken, too, and fails in processing: the network looks at it later."""
    image = next((one for one in call.state.linkedin_images.values() if one.upload_key == call.path[1]), None)
    if image is None:
        raise missing("upload")
    if call.now >= image.upload_expires_at:
        raise LinkedInError(403, "The upload URL has expired", "EXPIRED_UPLOAD_URL")
    if not call.content:
        raise invalid("MISSING_FIELD", "The body is empty")
    image.ready_at = call.now + settings.SANDBOX_CONTAINER_SECONDS
    try:
        picture = read(call.content)
    except NotAnImageError:
        image.failed = True
        return Reply(201)
    image.failed = picture.format not in FORMATS or picture.width * picture.height >= MOST_PIXELS
    image.width, image.height = picture.width, picture.height
    image.file = picture.save(call.state.folder, f"linkedin-{image.id.rsplit(':', 1)[1]}")
    return Reply(201)


@answers("GET", "images/*")
def image(call: Call) -> Reply:
    """A token of the self-serve products may upload images, but not look at them."""
    call.need(*READING_SCOPES, "w_organization_social")
    urn = call.path[1]
    if urn.startswith("urn:li:image:LOGO"):
        organization_id = urn.removeprefix("urn:li:image:LOGO")
        if organization_id not in call.state.linkedin_organizations:
            raise missing(urn)
        address = f"{call.base_url}/media/portraits/{organization_id}.png"
        owner = f"urn:li:organization:{organization_id}"
        return Reply(body=facts(urn, owner, "AVAILABLE", address, call.now))
    found = call.state.linkedin_images.get(urn)
    if found is None:
        raise missing(urn)
    status = found.status_at(call.now)
    address = f"{call.base_url}/media/files/{found.file}" if status == "AVAILABLE" else ""
    return Reply(body=facts(urn, found.owner, status, address, call.now))


def facts(urn: str, owner: str, status: str, address: str, now: float) -> dict[str, Any]:
    body: dict[str, Any] = {"id": urn, "owner": owner, "status": status}
    if address:
        body.update(downloadUrl=address, downloadUrlExpiresAt=int((now + 30 * 86_400) * 1000))
    return body
