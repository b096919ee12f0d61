"""How a repository's value of a policy's key meets the operator's."""

from enum import Enum


class Narrowing(Enum):
    """What the operator leaves out is free."""

    ADDS = "adds to the operator's"
    LOWERS = "the lower one holds"
    OPERATOR = "the operator's holds, if set"
    REPOSITORY = "the repository's holds, if set"


ADDS, LOWERS, OPERATOR, REPOSITORY = Narrowing
