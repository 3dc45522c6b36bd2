"""The destinations that an operator names in the settings."""

import re
from pathlib import Path

import pytest

from pepforms import naming, report, settings
from pepforms.deliver import confirmations, destinations
from pepforms.deliver.destinations import Named
from pepforms.deliver.folder import Folder
from pepforms.deliver.sftp import Sftp
from pepforms.errors import Misconfigured
from pepforms.settings import Settings
from pepforms.wiring import Wiring

SFTP = """
[deliver.lcs]
kind = "sftp"
host = "lcs.example"
user = "virtual-school"
key_file = "/etc/pepforms/id_ed25519"
known_hosts = "/etc/pepforms/known_hosts"
"""
SHARE = """
[deliver.records-share]
kind = "folder"
path = "/mnt/records/in"
by = "social-worker"
"""


def load(tmp_path: Path, text: str, **environment: str) -> Settings:
    (tmp_path / "pepforms.toml").write_text(text)
    return settings.load({"PEPFORMS_HOME": str(tmp_path), **environment})


def read(tmp_path: Path, text: str, **environment: str) -> dict[str, Named]:
    return destinations.read(load(tmp_path, text, **environment))


def fault(tmp_path: Path, text: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        read(tmp_path, text)
    return str(caught.value)


def test_each_table_is_a_destination(tmp_path: Path) -> None:
    found = read(tmp_path, SFTP + SHARE)
    assert list(found) == ["lcs", "records-share"]
    assert found["records-share"] == Named("records-share", "social-worker", Folder(Path("/mnt/records/in")))
    assert found["lcs"] == Named(
        "lcs",
        None,
        Sftp(
            host="lcs.example",
            port=22,
            user="virtual-school",
            path="",
            key_file=Path("/etc/pepforms/id_ed25519"),
            passphrase_file=None,
            known_hosts=Path("/etc/pepforms/known_hosts"),
        ),
    )


def test_there_is_none_until_one_is_named(tmp_path: Path) -> None:
    assert read(tmp_path, "") == {}


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    found = read(tmp_path, SFTP + SHARE, PEPFORMS_DELIVER_LCS_PORT="2222", PEPFORMS_DELIVER_RECORDS_SHARE_BY="team")
    assert isinstance(found["lcs"].engine, Sftp)
    assert found["lcs"].engine.port == 2222
    assert found["records-share"].by == "team"


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('kind = "sftp"', "", "deliver.lcs.kind must be one of: folder, sftp"),
        ('kind = "sftp"', 'kind = "ftp"', "deliver.lcs.kind must be one of: folder, sftp"),
        ('host = "lcs.example"', "", "deliver.lcs.host is missing"),
        ("known_hosts", "passphrase_file", "deliver.lcs.known_hosts is missing"),
        ("[deliver.lcs]", '[deliver.lcs]\nport = "22022022"', "deliver.lcs.port must be a number"),
        ("[deliver.lcs]", '[deliver.lcs]\nport = "²"', "deliver.lcs.port must be a number"),
        ("[deliver.lcs]", '[deliver.lcs]\nby = "school"', "deliver.lcs.by must be one of: social-worker, team"),
        ("[deliver.lcs]", "[deliver.lcs]\nport = 22", "deliver.lcs.port must be a text in quotation marks"),
        ("[deliver.lcs]", '[deliver.lcs]\npassword = "hush"', "there is no setting deliver.lcs.password"),
        ("[deliver.lcs]", "[deliver]", "there is no setting deliver."),
        ("[deliver.lcs]", "[deliver.Our_LCS]", "there is no setting deliver.Our_LCS.kind"),
        ("[deliver.lcs]", "[deliver.lcs.more]", "there is no setting deliver.lcs.more.kind"),
    ],
)
def test_a_fault_names_the_setting_and_no_value(tmp_path: Path, before: str, after: str, says: str) -> None:
    told = fault(tmp_path, SFTP.replace(before, after, 1))
    assert says in told
    assert "hush" not in told


def test_a_folder_is_named_from_the_root(tmp_path: Path) -> None:
    assert "deliver.records-share.path must begin at the root" in fault(tmp_path, SHARE.replace("/mnt", "mnt"))
    assert "deliver.records-share.path is missing" in fault(tmp_path, SHARE.replace("path", "host"))


def test_records_go_into_the_same_folders_as_those_of_a_pack(tmp_path: Path) -> None:
    share = read(tmp_path, SHARE)["records-share"]
    name = share.name_for("900005.pdf", social_worker="Dana Mockley", team="Team 2")
    assert name == f"{naming.folder('social-worker', social_worker='Dana Mockley', team='Team 2')}/900005.pdf"
    assert name.startswith("DM-")
    assert "Mockley" not in name
    assert share.name_for("1.pdf", social_worker="", team="Team 2") == f"{naming.NOBODY}/1.pdf"
    by_team = read(tmp_path, SHARE.replace("social-worker", "team"))["records-share"]
    assert by_team.name_for("1.pdf", social_worker="Dana Mockley", team="Team 2") == "Team-2/1.pdf"
    assert read(tmp_path, SFTP)["lcs"].name_for("1.pdf", social_worker="Dana Mockley", team="Team 2") == "1.pdf"


def test_the_passphrase_of_a_key_stands_in_no_destination(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush")
    lcs = read(tmp_path, f'{SFTP}\npassphrase_file = "{tmp_path / "secret"}"')["lcs"]
    assert "hush" not in repr(lcs)


def test_the_doctor_lists_every_destination_and_looks_whether_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    share = SHARE.replace("/mnt/records/in", str(tmp_path / "in"))
    healthy, said = report.doctor(Wiring(load(tmp_path, share)))
    assert healthy
    assert "deliver.records-share.by" in said
    assert "PEPFORMS_DELIVER_RECORDS_SHARE_PATH" in said
    assert re.search(rf"ok +deliver records-share +the folder {tmp_path}/in is there", said)
    healthy, said = report.doctor(Wiring(load(tmp_path, SFTP)))
    assert not healthy
    assert re.search(r"NO +deliver lcs +The key file /etc/pepforms/id_ed25519 cannot be read", said)
    healthy, said = report.doctor(Wiring(load(tmp_path, SHARE.replace("folder", "shelf"))))
    assert not healthy
    assert "deliver.records-share.kind must be one of" in said


def test_the_guide_has_every_setting() -> None:
    said = (Path(__file__).parent.parent / "docs" / "deliver.md").read_text()
    keys = [setting.key for setting in settings.DELIVER]
    keys += [each.key.partition(".")[2] for each in settings.KNOWN if each.key.startswith("confirmations.")]
    assert len(keys) > 12
    assert not [key for key in keys if f"`{key}`" not in said]


def test_the_guide_gives_settings_that_are_read_as_they_stand(tmp_path: Path) -> None:
    said = (Path(__file__).parent.parent / "docs" / "deliver.md").read_text()
    given = load(tmp_path, "\n".join(re.findall(r"```toml\n(.*?)```", said, re.DOTALL)))
    assert sorted(destinations.read(given)) == ["lcs", "share"]
    assert confirmations.columns(given).file == "Document name"
