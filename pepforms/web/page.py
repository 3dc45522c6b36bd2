"""The page: choose a PEP file, read what is wrong in plain English, take the Word or the PDF; without script."""

from typing import Any, get_args

from flask import Blueprint, Response, render_template, request

from pepforms import check, pipeline, schema
from pepforms.model import Problem, Stage
from pepforms.web import api
from pepforms.wiring import Wiring

WANTED = {"check": "Check it", "docx": "Make the Word document", "pdf": "Make the PDF"}
"""What the page's buttons do, by their value."""


STAGES = {
    "draft": "A draft: is what is there right?",
    "sign-off": "Ready for sign-off: is it all there?",
    "record": "Signed off: do the sign-offs hold?",
}
"""What the page asks of how far a PEP has come."""


def blueprint(wiring: Wiring) -> Blueprint:
    """`/`, for people."""
    page = Blueprint("page", __name__)

    @page.get("/")
    def start() -> str:
        return _shown(wiring, "sign-off")

    @page.post("/")
    def answer() -> str | Response:
        upload = request.files.get("pep")
        stage = api.stage(request.form.get("stage", "sign-off"))
        if upload is None or not upload.filename:
            return _shown(wiring, stage, missing="Choose a PEP file first: a file that ends in .json.")
        data, wanted = upload.read(), request.form.get("want", "check")
        document = wanted in get_args(pipeline.To)
        checked_as: Stage = "draft" if document else stage
        checked = check.check(data, checked_as, wiring.profile)
        if document and checked.valid:
            return api.rendered(wiring, data, "pep", "authority", wanted)
        return _shown(wiring, stage, result={"checked_as": checked_as, "refused": document, **_result(checked)})

    return page


def trouble(detail: str, problems: list[dict[str, Any]]) -> str:
    """The page that says that something went wrong."""
    return render_template("trouble.html", detail=detail, problems=problems)


def _shown(wiring: Wiring, stage: Stage, missing: str | None = None, result: dict[str, Any] | None = None) -> str:
    return render_template(
        "start.html",
        wanted=WANTED,
        stages=STAGES,
        stage=stage,
        virtual_school=wiring.profile.virtual_school,
        missing=missing,
        result=result,
    )


def _result(checked: check.Checked) -> dict[str, Any]:
    groups: dict[str, list[dict[str, str]]] = {"Put right": [], "Put right or explain": [], "Please check": []}
    for problem in checked.problems:
        stops = "Put right or explain" if problem.explainable else "Put right"
        groups["Please check" if problem.severity == "warns" else stops].append(_row(problem))
    return {"valid": checked.valid, "groups": [(title, rows) for title, rows in groups.items() if rows]}


def _row(problem: Problem) -> dict[str, str]:
    section = schema.load().root.fields.get(problem.pointer.split("/")[1] if problem.pointer else "")
    return {
        "message": problem.message,
        "section": section.title if section else "The whole file",
        "owner": _role(problem.owner),
    }


def _role(role: str | None) -> str:
    people = schema.load().root.fields["people"].items
    labels = people.fields["role"].labels if people else {}
    return labels.get(role or "", "")
