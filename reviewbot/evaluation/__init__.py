"""Which way to review is worth its money: strategies measured against remarks of people."""
