"""What a copy is: the digest of all that decides what it says, so that none is made twice."""

from dataclasses import asdict, dataclass

from pepforms import __version__
from pepforms.batches.workshop import Workshop
from pepforms.digest import canonical, sha256
from pepforms.model import Audience
from pepforms.pipeline import To


@dataclass(frozen=True, slots=True)
class Wanted:
    """One copy that is wanted: of which state of a PEP (its SHA-256), on which form, for whom, and as what file.

    `confidential` says that the placement is known to be so today, whatever the PEP says.
    """

    revision: str
    form: str
    audience: Audience
    person: str | None
    to: To
    confidential: bool

    def identity(self, workshop: Workshop) -> str:
        """The digest of this and of what makes it here and now: form, template, profile, engine and pepforms itself.

        Of the form all counts that its row says; its Word files, the letterhead among them, count by what is in them.
        """
        form = workshop.form(self.form)
        made_with = {
            "row": {key: value for key, value in asdict(form).items() if key not in ("template", "letterhead")},
            "template": workshop.template(form).version,
            "profile": workshop.profile.digest,
            "engine": workshop.engine,
            "pepforms": __version__,
        }
        return sha256(canonical(asdict(self) | made_with))
