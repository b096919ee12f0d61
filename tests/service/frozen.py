"""Loaded last by a process of which workers are copies: what it holds is not looked at again.

Each copy's garbage collector would touch all of it, and so have it copied.
"""

import gc

gc.collect()
gc.freeze()
