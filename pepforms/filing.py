"""Filing: records put into a folder, each once, whole, with its row in the manifest and what belongs beside it."""

from pathlib import Path
from typing import TYPE_CHECKING

from pepforms import files, naming, pipeline
from pepforms.archive import manifest
from pepforms.digest import sha256
from pepforms.errors import Refused, Unreadable
from pepforms.forms import Form
from pepforms.model import Pep
from pepforms.pipeline import Document, Record, Workshop

if TYPE_CHECKING:
    from pepforms.register.store import Register


def file_pep(pep: Pep, form: Form, out: Path, workshop: Workshop, *, force: bool) -> Path:
    """The record of a PEP, made unless it is there already, holds and is of this very PEP."""
    return out / _filed_in(out, pep, form, workshop, known=None, force=force).document.name


def keep_pep(
    pep: Pep, form: Form, out: Path | None, workshop: Workshop, register: "Register", *, by: str, force: bool
) -> Record:
    """The record of a PEP, kept in the register with the PEP, and filed in a folder where one is given.

    It is made unless the register holds one of what was signed off, or the folder does.
    """
    from pepforms.register import made, peps

    revision = peps.keep(register, pep, workshop.profile, by=by).revision_id
    known = _in_register(register, revision)
    record = _filed_in(out, pep, form, workshop, known=known, force=force) if out else known
    if record is None:
        record = pipeline.archive(pep, form, workshop)
    beside = {document.name: document.data for document in record.beside}
    made.keep_record(register, record.row, record.document.data, by=by, beside=beside, revision_id=revision)
    return record


def _in_register(register: "Register", revision_id: int) -> Record | None:
    from pepforms.register import made

    with register.reading() as session:
        if (kept := made.record_of(session, revision_id)) is None:
            return None
        row, beside = manifest.Row(**kept.row), dict(kept.beside)
    documents = [Document(name, register.files.get(digest)) for name, digest in beside.items()]
    return Record(Document(row.filename, register.files.get(row.sha256)), row, tuple(documents))


def _filed_in(out: Path, pep: Pep, form: Form, workshop: Workshop, *, known: Record | None, force: bool) -> Record:
    name = naming.record(pep)
    there = _filed(out, name)
    record = pipeline.still_stands(there, pep, form, workshop) if there else known
    if record is None:
        record = known or pipeline.archive(pep, form, workshop)
    with manifest.locked(out):
        meanwhile = _filed(out, name)  # another run, or the same PEP twice in this one, may have been faster
        if meanwhile and meanwhile != there:
            record = pipeline.still_stands(meanwhile, pep, form, workshop) or record
        put(record, out, force=force)
    return record


def put(record: Record, out: Path, *, force: bool) -> None:
    """Write a record and what lies beside it, then its row. To be called under `manifest.locked`.

    Refused where another file has its name. The PDF comes last: once it is there, so is what belongs to it, and what
    lay beside the one that it takes the place of is gone.
    """
    path = out / record.document.name
    possible = naming.report(path.name), naming.data(path.name)
    new = not path.exists() or path.read_bytes() != record.document.data
    if new:
        if path.exists() and not force:
            raise _differs(path)
        with files.told(out):
            for name in {*possible} - {document.name for document in record.beside}:
                (out / name).unlink(missing_ok=True)
    for document in record.beside:
        if new or not (out / document.name).exists():
            with files.told(out / document.name):
                files.replace(out / document.name, document.data)
    if new:
        files.write(path, record.document.data, force=force)
    beside = [name for name in possible if (out / name).exists()]
    manifest.add(out, [record.row], {name: sha256((out / name).read_bytes()) for name in beside})


def _differs(path: Path) -> Refused:
    return Refused(
        f"{path} is there already and is another record. Move it away, choose another folder, or say --force.",
        slug="file-differs",
    )


def _filed(out: Path, name: str) -> bytes | None:
    try:
        return (out / name).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unreadable(f"{out / name} is there but cannot be read.", slug="unreadable-path") from error
