"""Images and documents: an address to upload to, the bytes, and what becomes of them."""

from __future__ import annotations

import secrets
from typing import Any

import pypdfium2

from .. import settings
from ..pictures import NotAnImageError, read
from . import videos
from .call import MEDIA_ROLES, READING_SCOPES, Call, Reply, answers
from .errors import LinkedInError, invalid, missing
from .rows import Asset, Document, Image
from .videos import UPLOAD_SECONDS, owner_of

MOST_PIXELS = 36_152_320
FORMATS = {"JPEG", "PNG", "GIF"}
MOST_DOCUMENT_BYTES = 100 * 1024 * 1024
MOST_PAGES = 300
POSTER_WIDTH = 720


@answers("POST", "images")
def begin_image(call: Call) -> Reply:
    return begin(call, Image, "image", "C4E")


@answers("POST", "documents")
def begin_document(call: Call) -> Reply:
    return begin(call, Document, "document", "D4E")


def begin(call: Call, make: type[Image | Document], name: str, prefix: str) -> Reply:
    if call.text("action") != "initializeUpload":
        raise invalid("ILLEGAL_ARGUMENT", "Parameter 'action' must be initializeUpload")
    owner = owner_of(call, "initializeUploadRequest")
    call.may_write_as(owner, MEDIA_ROLES)
    key = secrets.token_urlsafe(24)
    expires_at = call.now + UPLOAD_SECONDS
    made = call.state.add(make(f"urn:li:{name}:{prefix}{call.state.new_number():08d}", owner, key, expires_at))
    value = {
        "uploadUrl": f"{call.base_url}/linkedin/api/dms-uploads/{key}",
        "uploadUrlExpiresAt": int(expires_at * 1000),
        name: made.id,
    }
    return Reply(body={"value": value})


@answers("PUT", "dms-uploads/*")
def upload(call: Call) -> Reply:
    """The bytes. What cannot be opened is taken, too, and fails in processing: the network looks at it later."""
    key = call.path[1]
    if video := videos.video_of(call.state, key):
        return videos.put_part(call, video, key)
    tables = (call.state.linkedin_images, call.state.linkedin_documents)
    found = next((one for table in tables for one in table.values() if one.upload_key == key), None)
    if found is None:
        raise missing("upload")
    if call.now >= found.upload_expires_at:
        raise LinkedInError(403, "The upload URL has expired", "EXPIRED_UPLOAD_URL")
    if not call.content:
        raise invalid("MISSING_FIELD", "The body is empty")
    found.ready_at = call.now + settings.SANDBOX_CONTAINER_SECONDS
    if isinstance(found, Document):
        keep_document(call, found)
    else:
        keep_image(call, found)
    return Reply(201)


def keep_image(call: Call, image: Image) -> None:
    try:
        picture = read(call.content)
    except NotAnImageError:
        image.failed = True
        return
    image.failed = picture.format not in FORMATS or picture.width * picture.height >= MOST_PIXELS
    image.width, image.height = picture.width, picture.height
    image.file = picture.save(call.state.folder, f"linkedin-{image.id.rsplit(':', 1)[1]}")


def keep_document(call: Call, document: Document) -> None:
    """Of the formats that the network knows, the sandbox opens PDF."""
    try:
        opened = pypdfium2.PdfDocument(call.content)
    except pypdfium2.PdfiumError:
        document.failed, document.reason = True, "The document could not be opened"
        return
    name = f"linkedin-{document.id.rsplit(':', 1)[1]}"
    try:
        document.pages = len(opened)
        document.failed = document.pages > MOST_PAGES or len(call.content) > MOST_DOCUMENT_BYTES
        first = opened[0]
        picture = first.render(scale=POSTER_WIDTH / first.get_width()).to_pil()
        picture.save(call.state.folder / f"{name}.png")
    finally:
        opened.close()
    document.width, document.height = picture.width, picture.height
    document.poster, document.file = f"{name}.png", f"{name}.pdf"
    (call.state.folder / document.file).write_bytes(call.content)


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
    return asset(call, call.state.linkedin_images.get(urn), urn)


@answers("GET", "documents/*")
def document(call: Call) -> Reply:
    call.need(*READING_SCOPES, "w_organization_social")
    return asset(call, call.state.linkedin_documents.get(call.path[1]), call.path[1])


def asset(call: Call, found: Asset | None, urn: str) -> Reply:
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
