"""What filters take: whatever the lint passes, the fill fills for every PEP, however contrary."""

import base64
import functools
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pepforms import codes, schema
from pepforms.fill import Template
from pepforms.fill.kinds import FILTERS, WAYS
from pepforms.fill.scopes import Reader
from pepforms.fill.tags import TAG, Place, Tag
from pepforms.model import Pep
from pepforms.schema import Field

ROOT = Path(__file__).parents[1]
EVERYBODY = ("authority", "school", "carer", "parent", "child")
ROOTS = {**schema.load().root.fields, "document": schema.document()}
HERE = Place("text", paragraph=1)
BY_FORMAT = {
    "date": "2026-11-12", "date-time": "2026-11-12T11:20:00Z", "time": "15:15", "money": "700.05", "id": "p1",
    "file-id": "PEP-1", "academic-year": "2026/27", "financial-year": "2026-27", "upn": "K999999914001",
    "uln": "9000000001", "urn": "999999", "ofsted-urn": "EY999999", "ukprn": "99999999", "laestab": "999/9999",
    "phone": "01632 960000", "email": "nobody@example.org", "slug": "no-school", "pointer": "/meeting/attendees",
    "digest": "0" * 64,
}  # fmt: skip


@functools.cache
def drawing() -> str:
    image = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(image, "png")
    return base64.b64encode(image.getvalue()).decode()


def made(field: Field, contrary: str, turn: int) -> Any:
    """What a field may hold: everything, the least, empty lists, or nothing that is known; codes take turns."""
    if field.unknowable and contrary == "unknown":
        reasons = [*codes.known("upn_unknown")]
        return {"unknown": reasons[turn % len(reasons)] if field.pointer == "/child/upn" else "Nobody, has said"}
    known = [*(codes.known(field.codes) if field.codes else field.labels)]
    if known:
        return known[turn % len(known)]
    if field.type == "object":
        parts = [one for one in field.fields.items() if one[1].required or contrary != "least"]
        return {name: made(part, contrary, turn + at) for at, (name, part) in enumerate(parts)}
    if field.items:
        return [made(field.items, contrary, turn + at) for at in range(0 if contrary in ("least", "empty") else 2)]
    if field.type in ("integer", "number", "boolean"):
        return {"integer": turn % 2 + 10, "number": 10.5 - turn % 2, "boolean": turn % 2 == 0}[field.type]
    if field.pointer == "/schema_version":
        return "1"
    if field.pointer.endswith("/data"):
        return drawing()
    return BY_FORMAT.get(field.format or "", "words, “quoted”;\tand <more>\n")


@functools.cache
def peps() -> list[tuple[str, Pep, dict[str, Any]]]:
    """Every sample, and PEPs as contrary as the schema lets them be, each with what its document says."""
    samples = [(path.stem, json.loads(path.read_text()), {}) for path in (ROOT / "samples" / "valid").glob("*.json")]
    contraries = [
        (
            f"{contrary} {turn}",
            made(schema.load().root, contrary, turn),
            made(schema.document(), contrary, turn),
        )
        for contrary in ("everything", "least", "empty", "unknown")
        for turn in ((0, 1, 2, 3, 5, 8, 13, 21) if contrary == "everything" else (0, 1))
    ]
    return [*samples, *contraries]


def names(field: Field, above: str) -> Iterator[tuple[str, Field]]:
    """Every name that a tag may say, and its field; of a list its first entry."""
    yield above, field
    for name, part in field.fields.items():
        yield from names(part, f"{above}.{name}")
    if field.items:
        yield from names(field.items, f"{above}[0]")


NAMES = [one for name, field in ROOTS.items() for one in names(field, name)]


READER = Reader(EVERYBODY)


def passes(written: str) -> bool:
    """Whether the lint finds nothing in some tags."""
    return not [*READER.faults([Tag(tag, HERE, written) for tag in TAG.findall(written)])]


def fill(paragraphs: list[str]) -> None:
    """Fill a template of these paragraphs with every PEP; whatever is refused fails, with its tag."""
    word = docx.Document()
    for paragraph in paragraphs:
        word.add_paragraph(paragraph)
    buffer = io.BytesIO()
    word.save(buffer)
    template = Template(buffer.getvalue(), name="mine.docx")
    for name, pep, document in peps():
        try:
            template.fill(pep, document)
        except Exception as error:
            raise AssertionError(f"{name}: {error}") from error


IN_BRACKETS = ("meeting.date", "child.upn", "5", '"2026-09-01"', "follow_up", "targets")


def applied(name: str, field: Field) -> Iterator[str]:
    """A fact by itself, and every use of every filter of it, with whatever may come into an author's mind."""
    entries = [f'"{one}"' for one in field.items.fields] if field.items else []
    yield name
    for filter_ in FILTERS:
        yield f"{name}|{filter_}"
        if any(way.given for way in WAYS[filter_]):
            yield from (f"{name}|{filter_}({given})" for given in (*IN_BRACKETS, *entries))
        if filter_ == "where":
            yield from (f"{name}|where({of}, {like})|count" for of in entries for like in ("true", '"p1"', "child.sex"))


LIKE_IT = {
    (
        field.type,
        field.format,
        bool(field.codes),
        bool(field.labels),
        field.person,
        tuple(field.fields),
        field.items,
    ): name
    for name, field in NAMES
}
"""One name of each kind of facts, and every group and list."""

TRIED = [one for name, field in NAMES for one in (applied(name, field) if name in LIKE_IT.values() else [name])]


@functools.cache
def let_stand() -> list[str]:
    """What the lint lets stand as a tag of a run."""
    return [one for one in TRIED if passes(f"{{{{r {one} }}}}")]


def test_the_contrary_peps_are_good() -> None:
    for name, pep, _ in peps():
        assert not [*schema.load().validator.iter_errors(pep)], name


def test_every_filter_that_the_lint_lets_stand_behind_a_fact_is_filled_for_every_pep() -> None:
    assert len(TRIED) / 5 > len(let_stand()) > 1_000
    fill([f"{{{{r {one} }}}}" for one in let_stand()])


LISTS = [name for name, field in NAMES if field.items]
OF_A_ROW = sorted({name.rpartition("[0]")[2] for name, _ in NAMES if "[0]." in name})
OF_AN_ENTRY = sorted({name for _, field in NAMES if field.items for name in field.items.fields})
WITHIN = st.sampled_from(OF_A_ROW).map("x{}".format) | st.sampled_from(("x", "loop.index", "loop.first", "loop"))


def asked(value: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """What an author may make of values: a choice, a question, a comparison."""
    either = st.sampled_from(("or", "and", "==", "!=", "<", ">="))
    constants = st.sampled_from(("1", "true", "none", '"F"', '"2026-09-01"'))
    return st.one_of(
        st.builds("({} {} {})".format, value, either, value | constants),
        st.builds("({} if {} else {})".format, value, value, value | constants),
        st.builds("{} is {}".format, value, st.sampled_from(("known", "unknown", "shown", "not known"))),
        st.builds("(not {})".format, value),
        st.builds("({} if {})".format, value, value),
        st.builds("({} or {}){}".format, value, value, st.sampled_from(OF_A_ROW)),
        st.builds('({} or {})|listed("{}")'.format, *[st.sampled_from(LISTS)] * 2, st.sampled_from(OF_AN_ENTRY)),
        st.builds("({})|{}".format, value, st.sampled_from(sorted(FILTERS))),
    )


def statements() -> st.SearchStrategy[str]:
    """Paragraphs with tags that print, ask and loop."""
    facts = st.deferred(lambda: st.sampled_from([name for name, _ in NAMES]) | st.sampled_from(let_stand()))
    values = st.recursive(facts | WITHIN, asked, max_leaves=4)
    loop = st.builds("{{% for x in {} if {} %}}".format, st.sampled_from(LISTS), values) | st.builds(
        "{{% for x in {} %}}".format, st.sampled_from(LISTS)
    )
    return st.one_of(
        st.builds("{{{{ {} }}}}".format, values),
        st.builds("{{{{r {} }}}}".format, values),
        st.builds(
            "{{% if {0} %}}a{{% elif {1} %}}{{{{ {0} }}}}{{% else %}}{{{{ {2} }}}}{{% endif %}}".format, *[facts] * 3
        ),
        st.builds("{{% if {0} %}}{{{{ {1} }}}}{{% else %}}{{{{ {0} }}}}{{% endif %}}".format, values, values),
        st.builds("{}{{{{ {} }}}}{{% else %}}{{{{ {} }}}}{{% endfor %}}".format, loop, values, values),
    )


@given(st.lists(statements(), min_size=40, max_size=40))
@settings(max_examples=12, deadline=None)
def test_whatever_the_lint_lets_pass_is_filled_for_every_pep(paragraphs: list[str]) -> None:
    fill([one for one in paragraphs if passes(one)])


def table_of_filters() -> str:
    rows = [f"| {name} | {way.of} | {way.brackets or 'nothing'} |" for name in sorted(WAYS) for way in WAYS[name]]
    return "\n".join(("| Filter | Behind | In its brackets |", "|---|---|---|", *rows, ""))


TEMPLATES = ROOT / "docs" / "templates.md"
BEGIN, END = "<!-- filters -->\n", "<!-- end of filters -->\n"


def test_what_every_filter_takes_is_documented() -> None:
    before, rest = TEMPLATES.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    made = f"{before}{BEGIN}{table_of_filters()}{END}{after}"
    if os.environ.get("WRITE_DOCS"):
        TEMPLATES.write_text(made, encoding="utf-8")
    assert TEMPLATES.read_text(encoding="utf-8") == made, (
        "WRITE_DOCS=1 python -m pytest tests/test_kinds.py -k documented"
    )
