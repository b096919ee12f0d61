"""The words of a change."""

from hypothesis import given
from hypothesis import strategies as st

from reviewbot.routing.text import ChangedText
from reviewbot.routing.vocabulary import LONGEST_NAME, Vocabulary

NAMES = st.sampled_from(["userName", "user_name", "HTTPServer", "verify_token", "x", "größe"])


def words(*files, title="", paths=()):
    return Vocabulary().words_of([ChangedText(each) for each in files], paths, title)


def test_names_are_taken_apart(file):
    changed = words(file("a.py", added=["userName = HTTPServer.verify_token(x2)"])).changed

    assert changed == {"user", "name", "http", "server", "verify", "token"}


def test_a_word_counts_where_more_of_it_came_than_went_or_went_than_came(file):
    views = file(
        "views.py", removed=["check(user)", "log(user)"], added=["log(user)", "mail(user)"]
    )

    assert words(views).changed == {"check", "mail"}


def test_what_moved_from_one_file_to_another_did_not_change(file):
    line = ["grant(role)"]

    assert not words(file("a.py", removed=line), file("b.py", added=line)).changed


def test_a_new_way_to_write_a_name_changes_no_word(file):
    assert not words(file("a.py", removed=["userName"], added=["user_name"])).changed


def test_paths_and_titles_give_their_words(file):
    found = words(title="Rotate the APIKeys (#12)", paths=["billing/src/session_store/keyRing.go"])

    assert found.title == {"rotate", "the", "api", "keys"}
    assert found.path == {"session", "store", "key", "ring"}


def test_data_is_no_word(file):
    long = "a" * (LONGEST_NAME + 1)

    assert not words(file("a.py", added=[f"x = '{long}'"])).changed


def test_only_known_words_are_told(file):
    texts = [ChangedText(file("a.py", added=["userName"]))]

    found = Vocabulary({"name"}).words_of(texts, ["user/name.py"], "Name users")

    assert found == ({"name"}, {"name"}, {"name"})


@given(added=st.lists(NAMES), removed=st.lists(NAMES))
def test_the_same_words_change_whichever_side_they_are_on(file, added, removed):
    there = file("a.py", added=added, removed=removed)
    back = file("a.py", added=removed, removed=added)

    assert words(there) == words(back)
