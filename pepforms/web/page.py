"""The page: choose a PEP file, read what is wrong in plain English, take the Word or the PDF. It works without script."""

from typing import Any

from flask import Blueprint, Response, render_template, request

from pepforms import check, schema
from pepforms.model import Problem
from pepforms.web import api
from pepforms.wiring import Wiring

WANTED = {"check": "Check it", "docx": "Make the Word document", "pdf": "Make the PDF"}
"""What the page's buttons do, by their value."""


def blueprint(wiring: Wiring) -> Blueprint:
    """`/`, for people."""
    page = Blueprint("page", __name__)

    @page.get("/")
    def start() -> str:
        return _shown(wiring)

    @page.post("/")
    def answer() -> str | Response:
        upload = request.files.get("pep")
        if upload is None or not upload.filename:
            return _shown(wiring, missing="Choose a PEP file first: a file that ends in .json.")
        data, stage = upload.read(), api.stage(request.form.get("stage", "sign-off"))
        wanted = request.form.get("want", "check")
        checked = check.check(data, "draft" if wanted in api.MEDIA_TYPES else stage, wiring.profile)
        if wanted in api.MEDIA_TYPES and checked.valid:
            return api.rendered(wiring, data, "pep", "authority", wanted)
        return _shown(wiring, result=_result(checked, wanted, stage))

    return page


def trouble(detail: str, problems: list[dict[str, Any]]) -> str:
    """The page that says that something went wrong."""
    return render_template("trouble.html", detail=detail, problems=problems)


def _shown(wiring: Wiring, missing: str | None = None, result: dict[str, Any] | None = None) -> str:
    return render_template(
        "start.html", wanted=WANTED, virtual_school=wiring.profile.virtual_school, missing=missing, result=result
    )


def _result(checked: check.Checked, wanted: str, stage: str) -> dict[str, Any]:
    stopping = [problem for problem in checked.problems if problem.severity == "blocks"]
    return {
        "stage": "draft" if wanted in api.MEDIA_TYPES else stage,
        "refused": wanted in api.MEDIA_TYPES,
        "valid": checked.valid,
        "groups": [
            (title, [_row(problem) for problem in some])
            for title, some in (
                ("Put right", [problem for problem in stopping if not problem.explainable]),
                ("Put right or explain", [problem for problem in stopping if problem.explainable]),
                ("Please check", [problem for problem in checked.problems if problem.severity == "warns"]),
            )
            if some
        ],
    }


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


