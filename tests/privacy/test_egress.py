"""What may leave, and the receipt of what left."""

import pytest

from reviewbot.change.model import FileChange, Status
from reviewbot.errors import PrivacyError
from reviewbot.privacy.egress import EgressEntry, NeverSend, receipt


def test_the_receipt_adds_up_all_calls_by_path() -> None:
    entries = [EgressEntry("b.py", 10, 1), EgressEntry("a.py", 5, 0), EgressEntry("b.py", 7, 2)]

    assert receipt(entries) == (EgressEntry("a.py", 5, 0), EgressEntry("b.py", 17, 3))


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.pem", "deploy/tls/server.pem"),
        ("secrets/", "app/secrets/prod.env"),
        ("/infra/**", "infra/main.tf"),
        ("**/billing/**", "src/billing/refund.py"),
        ("customers.csv", "data/Customers.CSV"),
    ],
)
def test_a_listed_file_stays(pattern: str, path: str) -> None:
    assert NeverSend([pattern]).matches(path)


def test_other_files_may_leave() -> None:
    assert not NeverSend(["/infra/**", "*.pem"]).matches("src/infra.py")
    assert not NeverSend().matches("anything")


def test_a_rename_does_not_carry_a_file_out() -> None:
    moved = FileChange("public/notes.txt", Status.RENAMED, old_path="secrets/keys.txt")

    assert NeverSend(["secrets/"]).covers(moved)
    assert not NeverSend(["other/"]).covers(moved)


def test_no_pattern_takes_another_back() -> None:
    with pytest.raises(PrivacyError, match="take a pattern back"):
        NeverSend(["secrets/", "!secrets/public.txt"])


def test_a_pattern_that_is_none_is_an_error() -> None:
    with pytest.raises(PrivacyError, match="never_send"):
        NeverSend(["a/***/b", "\\"])
