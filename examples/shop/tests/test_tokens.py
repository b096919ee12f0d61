from datetime import timedelta

from shop.accounts.tokens import Tokens


def test_a_token_is_its_owners_until_it_is_revoked():
    tokens = Tokens(lifetime=timedelta(hours=1))
    token = tokens.issue(7)

    assert tokens.owner(token) == 7
    tokens.revoke(token)
    assert tokens.owner(token) is None


def test_an_old_token_is_nobodys():
    tokens = Tokens(lifetime=timedelta(seconds=-1))

    assert tokens.owner(tokens.issue(7)) is None
