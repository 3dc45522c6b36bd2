"""The stateless HTTP API: the body is the PEP, or the PDF; the answer is facts, problems or a document."""

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest

from pepforms import check, pipeline, report
from pepforms.archive.verify import LARGEST_FILE
from pepforms.errors import Refused
from pepforms.model import STAGES, Stage
from pepforms.wiring import Wiring

MEDIA_TYPES: dict[str, str] = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "png": "image/png",
    "zip": "application/zip",
}
"""What is answered with, by the end of its name."""

PICTURES = "png"
"""Asked for in place of a document: its pages as pictures, to look at."""


def blueprint(wiring: Wiring) -> Blueprint:
    """`/validate`, `/render` and `/verify`."""
    api = Blueprint("api", __name__)

    @api.post("/validate")
    def validate() -> dict[str, Any]:
        """Every problem of a PEP at a stage, as `pepforms validate --format json` gives it."""
        at = stage(_asked("stage").get("stage", "draft"))
        checked = check.check(request.get_data(), at, wiring.profile)
        return {"results": [report.validation("request", at, checked, wiring.profile)]}

    @api.post("/render")
    def render() -> Response:
        """One document of a PEP; with `to=png`, a ZIP of a picture a page, or the picture of page `page` alone."""
        arguments = _asked("form", "audience", "to", "page", "for", "confidential")
        return rendered(
            wiring, request.get_data(), arguments.get("form", "pep"), arguments.get("audience", "authority"),
            arguments.get("to", "pdf"), page=arguments.get("page"), person=arguments.get("for"),
            confidential=arguments.get("confidential", "false") != "false",
        )  # fmt: skip

    @api.post("/verify")
    def verify() -> dict[str, Any]:
        """The facts about a PDF, as `pepforms verify --format json` gives them; a scan may be as large as there."""
        _asked()
        request.max_content_length = LARGEST_FILE
        return {"results": [{"source": "request", **wiring.verify(request.get_data()).as_json()}]}

    return api


def _asked(*known: str) -> Mapping[str, str]:
    """The parameters of the request; 400 where one is unknown or said twice, lest a copy tell more than was meant."""
    for name, values in request.args.lists():
        if name not in known:
            names = f"there are {', '.join(known)}" if known else "there are none"
            raise BadRequest(f"There is no such parameter; {names}.")
        if len(values) > 1:
            raise BadRequest(f"The parameter {name} is there more than once. Say it once.")
    return request.args


def stage(name: str) -> Stage:
    """The stage of that name; Refused if there is none."""
    for known in STAGES:
        if known == name:
            return known
    raise Refused(f"There is no stage “{name}”. There are: {', '.join(STAGES)}.", slug="no-such-stage")


def rendered(
    wiring: Wiring,
    data: bytes,
    form_name: str,
    audience: str,
    to: str,
    *,
    page: str | None = None,
    person: str | None = None,
    confidential: bool = False,
) -> Response:
    """The document of a PEP, or its pages as pictures, to be saved under a name that holds no personal data.

    The header `Pepforms-Left-Out` names the fields that its reader does not see, for the authority alone.
    """
    form = wiring.form(form_name)
    reader = form.offered(audience)
    if to not in (*get_args(pipeline.To), PICTURES):
        raise Refused(f"A document is made as pdf or docx, or shown as png, not as “{to}”.", slug="no-such-kind")
    if page is not None and to != PICTURES:
        raise Refused(f"page is for pictures: say to={PICTURES}, or leave page out.", slug="no-such-page")
    number = _number(page)
    if form.gathers:
        raise Refused(
            f"{form.name} gathers all PEPs of a child; it is made by the command line: pepforms render.",
            slug="not-by-request",
        )
    pep, _ = pipeline.checked(data, form.stage, wiring.profile)
    kind: pipeline.To = "docx" if to == "docx" else "pdf"
    document = pipeline.render(pep, form, reader, kind, wiring, person=person, confidential=confidential)
    if to == PICTURES:
        pictures = pipeline.preview(document, wiring, number)
        left_out = document.left_out
        document = pictures[0] if page else _together(pictures, document.name.removesuffix(".pdf"))
        document = replace(document, left_out=left_out)
    response = Response(document.data, mimetype=MEDIA_TYPES[document.name.rpartition(".")[2]])
    response.headers["Content-Disposition"] = f'attachment; filename="{document.name}"'
    if document.left_out:
        response.headers["Pepforms-Left-Out"] = " ".join(dict.fromkeys(fact.field for fact in document.left_out))
    return response


def _number(page: str | None) -> int | None:
    """The number of the page that is asked for; None where all are."""
    if page is None:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", page):
        raise Refused(f"page is the number of a page, such as 1, not “{page}”.", slug="no-such-page")
    return int(page)


def _together(pictures: tuple[pipeline.Document, ...], name: str) -> pipeline.Document:
    """The pictures in one ZIP, as they are (they are packed already), the same bytes every time."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for picture in pictures:
            archive.writestr(zipfile.ZipInfo(picture.name), picture.data)
    return pipeline.Document(f"{name}.zip", packed.getvalue())
