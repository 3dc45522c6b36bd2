"""What the command line and the pages say of results, in the words of practice."""

import datetime
import importlib.metadata
import itertools
import json
import os
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import replace
from functools import partial
from typing import Any

from pepforms import files, forms, pipeline, schema
from pepforms.check import Checked, law, rules, together
from pepforms.errors import Misconfigured, PepformsError
from pepforms.fill import words
from pepforms.fill.lint import Finding, of_pages
from pepforms.fill.scopes import placeholder
from pepforms.fill.values import seen
from pepforms.model import Json, Pep, Problem, Stage
from pepforms.pipeline import Document
from pepforms.profile import Profile
from pepforms.resources import folder
from pepforms.schema import Field
from pepforms.wiring import Wiring

_WIDTH = 100


def validation(source: str, stage: Stage, checked: Checked, profile: Profile) -> dict[str, Any]:
    """One entry of `validate --format json`."""
    return {
        "source": source,
        "stage": stage,
        "valid": checked.valid,
        "problems": [problem.as_json() for problem in checked.problems],
        "law": [item.as_json() for item in law.coverage(checked.pep, profile)] if checked.pep is not None else [],
    }


def left_out(document: Document) -> str:
    """What a copy's reader does not see, section by section, for the authority alone: fields, no values."""
    sections: dict[str, list[str]] = {}
    for fact in document.left_out:
        section, _, title = fact.title.partition(": ")
        sections.setdefault(section, []).append(title or section)
    lines = (f"  {section}: {', '.join(dict.fromkeys(titles))}" for section, titles in sections.items())
    return "\n".join([f"{document.name}, left out for its reader:", *lines])


def unreadable(source: str, stage: Stage, error: PepformsError) -> dict[str, Any]:
    """The entry of a source that could not even be read."""
    problem = Problem(error.slug, "blocks", "", str(error), source="The file")
    return {"source": source, "stage": stage, "valid": False, "problems": [problem.as_json()], "law": []}


def validation_text(result: dict[str, Any], checked: Checked, profile: Profile) -> str:
    """The problems of one PEP, and what it says of the twelve facts of the law, as a person reads them."""
    problems = result["problems"]
    stopping = sum(problem["severity"] == "blocks" for problem in problems)
    verdict = f"{stopping} to put right" if stopping else f"good for stage {result['stage']}"
    warning = len(problems) - stopping
    head = f"{result['source']}: {verdict}" + (f", {warning} to check" if warning else "")
    covered = [law.as_text(law.coverage(checked.pep, profile))] if checked.pep is not None else []
    return "\n".join([head, *map(problem_text, problems), *covered])


def rule_book() -> Iterator[str]:
    """Every rule beyond the schema: its slug, what it does, from which stage, what it says, where it comes from."""
    for rule in sorted((*rules.every(), together.RULE), key=lambda rule: rule.slug):
        does = "blocks, can be explained" if rule.explainable else rule.severity
        yield f"{rule.slug}\n    {rule.says}\n    {does}, from stage {rule.stage}; {rule.source}"


def heading(problem: dict[str, Any]) -> str:
    """How pressing a problem is, in two or three words."""
    if problem["severity"] == "warns":
        return "Please check"
    return "Put right or explain" if problem["explainable"] else "Put right before sign-off"


def problem_text(problem: dict[str, Any]) -> str:
    """One problem: how pressing, the sentence, and where it stands in the data."""
    indent = " " * 6
    sentence = textwrap.fill(
        problem["message"], _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
    return f"  {heading(problem)}\n{sentence}\n      ({problem['slug']} at {problem['pointer'] or 'the whole file'})"


def verification_text(result: dict[str, Any], explained: list[str]) -> str:
    """Whether a PDF holds, and each fact that fell."""
    if result["holds"]:
        standard = " and ".join(claim for claim in (result["pdfa"]["claims"], result["pdfua"]["claims"]) if claim)
        judged = f", judged by {result['validated_by']}" if result["validated_by"] else ", its standard not judged"
        standard, judged = (standard, judged) if standard else ("not PDF/A", "")
        return f"{result['source']}: holds ({standard}{judged}; sealed by {result['seal']['signer']})"
    return "\n".join([f"{result['source']}: does not hold", *(f"  {sentence}" for sentence in explained)])


def placeholders() -> Iterator[tuple[str, str]]:
    """Every placeholder that a template may use, and what people call it; `[]` marks a list to loop over."""
    for field in itertools.chain(schema.load().root.walk(), schema.document().walk()):
        listed_above = field.pointer.endswith("/*")
        printed = not field.fields and not (field.items and field.items.fields) and field.pointer not in _BYTES
        if field.pointer and not listed_above and printed:
            yield placeholder(field), field.title


_BYTES = ("/document/logo/data", "/views/child/pictures/*/data")
"""Fields that no template prints: of a picture the whole, by {{r … }}."""


def lint(source: str, form: str, findings: list[Finding]) -> dict[str, Any]:
    """One entry of `template check --format json`."""
    valid = all(finding.severity != "blocks" for finding in findings)
    return {"source": source, "form": form, "valid": valid, "findings": [finding.as_json() for finding in findings]}


def lint_text(source: str, findings: list[Finding]) -> str:
    """The findings in one template as an officer reads them, by their place."""
    stopping = sum(finding.severity == "blocks" for finding in findings)
    warning = len(findings) - stopping
    lines = [f"{source}: {stopping} to put right" + (f", {warning} to check" if warning else "")]
    for place, there in itertools.groupby(findings, lambda finding: str(finding.place)):
        found = [*there]
        lines.append(f"  {place}" + (f": “{found[0].text}”" if found[0].text else ""))
        for finding in found:
            mark = "Please check: " if finding.severity == "warns" else ""
            lines.append(
                textwrap.fill(
                    f"{mark}{finding.message} ({finding.slug})",
                    _WIDTH,
                    initial_indent=" " * 6,
                    subsequent_indent=" " * 6,
                    break_on_hyphens=False,
                    break_long_words=False,
                )
            )
    return "\n".join(lines)


def examples(profile: Profile) -> Mapping[str, str]:
    """What each placeholder prints, for an invented child: as in a sample, else as the schema or its kind gives it."""
    root, printed = schema.load().root, dict[str, str]()
    samples = [json.loads(path.read_bytes()) for path in sorted((folder("samples") / "valid").glob("*.json"))]
    for pep in samples:
        for _, pointer, said in words.facts(pep, root):
            if not said.startswith(("Not known: ", "None: ")):
                printed.setdefault(re.sub(r"/[0-9]+(?=/|$)", "/*", pointer).removesuffix("/*"), said)
    told = pipeline.told(samples[0], forms.named("pep"), "authority", profile)
    for name, field in schema.document().fields.items():
        if name in told and not (field.items or field).fields:
            printed[field.pointer] = words.said(seen(told[name], field, samples[0]))
    fields = itertools.chain(root.walk(), schema.document().walk())
    return {placeholder(field): printed.get(field.pointer) or _example(field, samples[0]) for field in fields}


def _example(field: Field, pep: Pep) -> str:
    """What a field that no sample has would print."""
    known = field.items.example if field.items else field.example
    return known or words.said(seen(_STORED.get(field.type) or _stored(field, pep), field, pep))


_STORED: Mapping[str, Json] = {"boolean": True, "integer": 3, "number": 3}
_STORED_AS: Mapping[str, str] = {"date": "2026-11-12", "money": "450.00"}
"""A value of each kind."""


def _stored(field: Field, pep: Pep) -> Json:
    if field.person:
        return str(pep["people"][0]["id"])
    return next(iter(field.labels), _STORED_AS.get(field.format or "", ""))


def doctor(wiring: Wiring) -> tuple[bool, str]:
    """Whether everything needed is set up, and the whole state of affairs in lines."""
    lines = [f"pepforms {importlib.metadata.version('pepforms')}", "", "Settings"]
    lines.append(f"  home                   {wiring.settings.home}")
    lines.append(f"  file                   {wiring.settings.file}{'' if wiring.settings.file.exists() else ' (none)'}")
    for setting in wiring.settings.known:
        value = _without_password(wiring.settings[setting.key]) or "(not set)"
        lines.append(f"  {setting.key:<22} {value}\n{'':<25}{setting.meaning}; {setting.variable}")
    lines += ["", "State"]
    healthy = True
    for name, state in _states(wiring):
        ok = not isinstance(state, PepformsError)
        healthy &= ok
        lines.append(f"  {'ok ' if ok else 'NO '} {name:<10} {state}")
    if healthy:
        lines += ["", "To ask the authority", *(f"  {question}" for question in wiring.profile.unanswered())]
    return healthy, "\n".join(lines)


def _without_password(value: str) -> str:
    return re.sub("([?&]password=)[^&]*", r"\1…", re.sub("(://[^:/@]*:).*@", r"\1…@", value))


def _states(wiring: Wiring) -> Iterator[tuple[str, str | PepformsError]]:
    """Each part, with its state in words, or the error that says what to do."""
    looks: dict[str, Callable[[Wiring], str]]
    looks = {
        "profile": _profile,
        "templates": _templates,
        "fonts": _fonts,
        "engine": _engine,
        "seal": _seal,
        "trust": _trust,
        "time": _time,
    }
    looks |= {"register": _register, "files": _files}
    looks |= {f"deliver {name}": partial(_deliver, name=name) for name in wiring.settings.destinations}
    for name, look in looks.items():
        try:
            yield name, look(wiring)
        except PepformsError as error:
            yield name, error
    yield "veraPDF", wiring.judge_missing or "judges every record"


def _profile(wiring: Wiring) -> str:
    return wiring.profile.authority


def _templates(wiring: Wiring) -> str:
    found = wiring.forms()
    for form in found.values():
        wiring.template(form)
    own = [form for form in found.values() if form.template.parent == wiring.installed]
    head = forms.letterhead(wiring.installed)
    heads = [replace(forms.LETTERHEAD, template=head)] if head and head.parent == wiring.installed else []
    for form in (*own, *heads):
        for fault in of_pages(wiring.word_file(form.template), form.template.name, form):
            raise Misconfigured(
                f"The template {form.template} was installed under older rules. {fault.message} Then install it again: "
                "pepforms template install.",
                slug=fault.slug,
            )
    of_own = "".join(f", and its letterhead {one.template.name}" for one in heads)
    shipped = f"those that pepforms brings along lie in {folder('templates')}"
    return f"{_counted(found, 'form')}, {len(own)} of them the authority’s own{of_own}; {shipped}"


def _fonts(_: Wiring) -> str:
    from pepforms.fonts import FACES, undrawable

    undrawable("".join(chr(code) for code in (0x1F600, 0x1208, 0x2610)))
    return f"{len(FACES)} families to embed"


def _engine(wiring: Wiring) -> str:
    return wiring.engine


def _seal(wiring: Wiring) -> str:
    if wiring.settings.path("seal.key_file") is None:
        return "no key: records cannot be made (set PEPFORMS_SEAL_KEY_FILE); all else can"
    return f"key whose certificate begins {wiring.sealer.fingerprint[:16]}"


def _trust(wiring: Wiring) -> str:
    trust = wiring.trust
    anchors, lists = trust.anchors(of_clocks=True), trust.lists()
    if not anchors:
        return "nobody: no record can hold here (set PEPFORMS_SEAL_TRUST to the authority's certificate)"
    return f"{_counted(anchors, 'certificate')}, {_counted(lists, 'revocation list')}"


def _counted(things: Sized, name: str) -> str:
    return f"{len(things)} {name}{'s' * (len(things) != 1)}"


def _time(wiring: Wiring) -> str:
    if wiring.clock is None:
        return "seals claim their time, nobody proves it (set PEPFORMS_SEAL_TIMESTAMP_URL)"
    wiring.clock.stamp(b"Is anybody there?", datetime.datetime.now(datetime.UTC))
    return f"{wiring.clock.host} answers and is trusted"


def _register(wiring: Wiring) -> str:
    from pepforms.register import made, store

    place, stands = store.place(wiring.register_is_at), store.stands(wiring.register_is_at)
    if stands == "not made":
        return f"none yet at {place}; the first command that needs one makes it"
    if stands == "older":
        return f"{place}: an older pepforms made it; the next command that needs it brings it up to date"
    from pepforms.batches import course, worker

    with wiring.register.reading() as session:
        unfinished = course.unfinished(session)
        if not wiring.register_files.folder.exists() and next(made.named(session), None):
            raise Misconfigured(
                f"{place} names files, and their folder {wiring.register_files.folder} is not there. Mount it, or put "
                "files.folder right.",
                slug="no-files-folder",
            )
    alive, batches = len(worker.alive_now(wiring.register)), f"batch{'es' * (len(unfinished) != 1)}"
    return f"{place}: up to date; {alive} at work on batches, {len(unfinished)} {batches} unfinished"


def _files(wiring: Wiring) -> str:
    folder = wiring.register_files.folder
    with files.told(folder):
        if not folder.is_dir():
            return f"the register's files will be in {folder}, which is made when it is first needed"
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise Misconfigured(
            f"Files in {folder} cannot be read and written. Look at its rights, or name another in files.folder.",
            slug="no-files-folder",
        )
    return f"the register's files are in {folder}, which can be written"


def _deliver(wiring: Wiring, name: str) -> str:
    with wiring.destinations[name].opened() as destination:
        return f"{destination.place} is there"
