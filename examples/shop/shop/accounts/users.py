"""People with an account."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class User:
    """One account."""

    id: int
    email: str
    password_hash: str


class Users:
    """All accounts, by id and by address."""

    def __init__(self) -> None:
        self._by_id: dict[int, User] = {}

    def add(self, user: User) -> None:
        self._by_id[user.id] = user

    def by_email(self, email: str) -> User | None:
        wanted = email.strip().lower()
        return next((user for user in self._by_id.values() if user.email == wanted), None)

    def set_password(self, user_id: int, password_hash: str) -> None:
        self._by_id[user_id] = replace(self._by_id[user_id], password_hash=password_hash)


users = Users()
