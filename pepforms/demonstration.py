"""The demonstration: the main job on the samples, under a throwaway seal; the whole family of forms for a child; and
the end of a term, from a register with fifty PEPs to the last confirmation."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from pepforms import days, digest, files, forms, many, pipeline, resources, sources, trial
from pepforms.archive import manifest
from pepforms.check import numbers
from pepforms.errors import PepformsError
from pepforms.forms import Form
from pepforms.model import Audience, Pep
from pepforms.sources import Source
from pepforms.wiring import DEMONSTRATION_OPENER, Wiring


def run(wiring: Wiring, out: Path) -> int:
    """Word and PDF of every valid sample, a record of each that is signed off, a term's end; then say what to open."""
    key = wiring.use_demonstration_key()
    click.echo(f"Sealing with a throwaway key made for demonstrations, {key}: its seal proves nothing.")
    samples = [str(resources.folder("samples") / "valid")]
    form = forms.named("pep")
    documents, records, family = (files.folder(out / name) for name in ("documents", "records", "family"))

    claims = many.Claims()

    def made(source: Source) -> Path:
        pep, _ = pipeline.checked(source.data, "draft", wiring.profile)
        word = pipeline.render(pep, form, "authority", "docx", wiring)
        pdf = pipeline.render(pep, form, "authority", "pdf", wiring)
        for document in (word, pdf):
            claims.claim(document.name, digest.pep_digest(pep))
            files.write(documents / document.name, document.data, force=True)
        return documents / pdf.name

    codes = [many.show(many.each(sources.read(samples), made, "Making documents", total=sources.count(samples)))]
    signed = [source for source in sources.read(samples) if _signed_off(source, wiring)]
    codes.append(many.show(many.records(wiring, signed, records, total=len(signed), force=True)))
    codes.append(_family(wiring, family))
    codes.append(_end_of_term(wiring, [source.data for source in signed], key, out.absolute() / "term-end"))
    click.echo(f"\nOpen any PDF or Word file in {documents}; the sealed records and manifest.csv are in {records}.")
    click.echo(f"Every form, for each of its readers, of one child: {family}.")
    click.echo(f"The end of the term: {out / 'term-end'}; PEPFORMS_HOME={out / 'term-end'} pepforms batch status")
    click.echo(f"Then try: pepforms verify {records}/*.pdf")
    return many.worst(codes)


def _family(wiring: Wiring, out: Path) -> int:
    """Every form of one sample, for each of its readers."""
    (source,) = sources.read([str(resources.folder("samples") / "valid" / _CHILD)])
    pep, _ = pipeline.checked(source.data, "record", wiring.profile)
    wanted = [
        (form, audience, person)
        for form in wiring.forms().values()
        for audience in form.audiences
        for person in trial.readers(pep, form, audience)
    ]

    def made(one: tuple[Form, Audience, str | None]) -> tuple[Path, ...]:
        form, audience, person = one
        if form.gathers:
            copies = pipeline.pack([pep], form, wiring.form(form.gathers), audience, wiring)
        else:
            copies = [pipeline.render(pep, form, audience, "pdf", wiring, person=person)]
        for document in copies:
            files.write(out / document.name, document.data, force=True)
        return tuple(out / document.name for document in copies)

    work = many.each(wanted, made, "Making the family of forms", total=len(wanted))
    return many.show((source, result) for _, result in work)


_CHILD = "year-8-confidential-placement.json"


def _signed_off(source: Source, wiring: Wiring) -> bool:
    try:
        pipeline.checked(source.data, "record", wiring.profile)
    except PepformsError:
        return False
    return True


# --- the end of a term -----------------------------------------------------------------------------------------------

CHILDREN = 50
_TERM = "2026-27/autumn"
_STEPS = (
    ("PEPs kept in a register of their own", "register import {peps}"),
    ("a copy of each for its school", f"batch run --term {_TERM} --audience school --out {{copies}}"),
    ("a sealed record of each, like those above, which veraPDF has judged", f"archive --term {_TERM} --register"),
    ("delivered to a folder, a covering list for each team", "deliver run"),
    ("confirmed by the list that LCS would give of what it holds", "deliver confirm --list {listed}"),
    ("what is signed off and not confirmed", f"deliver unconfirmed --term {_TERM}"),
    ("every hash, seal and row of the audit", "register check"),
)
"""What each step is for, and its command."""


def _end_of_term(wiring: Wiring, signed: Sequence[bytes], key: Path, home: Path) -> int:
    """Fifty PEPs through the very commands that a Virtual School gives at the end of a term, in a home of their own.

    Given again, each finds what it has done before, and does nothing twice.
    """
    there = files.folder(home / "lcs")
    places = {"peps": home / "peps.jsonl", "copies": home / "schools", "listed": home / "lcs-documents.csv"}
    files.replace(places["peps"], b"".join(digest.canonical(pep) + b"\n" for pep in _class(signed)))
    files.replace(home / "pepforms.toml", _settings(wiring, key, there).encode())
    click.echo(f"\nThe end of a term, for {CHILDREN} children (PEPFORMS_HOME={home}):")
    codes = []
    for what, command in _STEPS:
        if "listed" in command:
            _list_what_lcs_holds(there, places["listed"])
        words = command.format(**places).split(" ")
        click.echo(f"\n$ pepforms {' '.join(words)}\n  # {what}")
        codes.append(_run(home, words))
    return many.worst(codes)


def _run(home: Path, words: Sequence[str]) -> int:
    """Run a command in its own process; tell the last line of what it says, which is the one that counts."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PEPFORMS_")}
    run = subprocess.run(
        [sys.executable, "-m", "pepforms", *words],
        env=own | {"PEPFORMS_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    *before, last = run.stdout.splitlines() or ["(nothing to do)"]
    click.echo(f"  (after {len(before)} other lines) {last}" if len(before) > 9 else f"  {last}")
    return run.returncode


def _class(signed: Sequence[bytes]) -> Iterator[Pep]:
    """The samples that are signed off, again and again: each time other children, with numbers of their own."""
    for number in range(CHILDREN):
        again, which = divmod(number, len(signed))
        pep: Pep = json.loads(signed[which])
        child = pep["child"]
        child["lcs_person_id"] = str(int(child["lcs_person_id"]) + 100 * again)
        child.pop("former_lcs_person_id", None)
        pep["pep"]["id"] += f"-{again}"
        if isinstance(child["upn"], str):
            upn = f"{child['upn'][:9]}{int(child['upn'][9:]) + 100 * again:04}"
            child["upn"] = numbers.upn_check_letter(upn) + upn[1:]
        for sign_off in pep["sign_offs"]:
            sign_off["digest"] = digest.pep_digest(pep)
        yield pep


def _settings(wiring: Wiring, key: Path, there: Path) -> str:
    """The settings of the home: those in force here, its seal, where its records go. veraPDF has judged enough."""
    chosen = {
        "profile": wiring.settings["profile"],
        "convert": {"engine": wiring.settings["convert.engine"]},
        "archive": {"validate": "off", "standard": wiring.settings["archive.standard"]},
        "seal": {
            "key_file": str(key.absolute()),
            "passphrase_file": str(key.absolute().with_name(DEMONSTRATION_OPENER)),
        },
        "deliver.lcs": {"kind": "folder", "path": str(there), "by": "team"},
        "confirmations": {"file": "Document name", "confirmed_at": "Date added"},
    }
    lines = []
    for name, value in chosen.items():
        table = value if isinstance(value, dict) else {}
        lines += [f"[{name}]"] if table else [f"{name} = {json.dumps(value)}"]
        lines += [f"{each} = {json.dumps(text)}" for each, text in table.items()]
    return "\n".join(lines) + "\n"


def _list_what_lcs_holds(there: Path, path: Path) -> None:
    """Play LCS: an import has taken the records, and LCS lists its documents, also some of other systems."""
    names = sorted(record.name for record in there.rglob("*_PEP_*.pdf"))
    with files.told(path), path.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["Document name", "Date added"])
        rows.writerows([manifest.defused(name), f"{days.today():%d/%m/%Y}"] for name in (*names, "Letter.docx"))
