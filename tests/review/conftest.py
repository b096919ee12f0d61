"""Small changes to review, made by the real parser."""

import pytest

from reviewbot.change.model import Change
from reviewbot.change.parse import parse_diff

LOGIN_DIFF = """\
diff --git a/app/login.py b/app/login.py
index 1111111..2222222 100644
--- a/app/login.py
+++ b/app/login.py
@@ -1,10 +1,11 @@
 import hmac
 
 
 def login(user, password):
     if not user.active:
-        raise Denied
-    if hmac.compare_digest(user.digest, digest(password)):
+        return None
+    if user.digest == digest(password):
+        audit(user)
         return Session(user)
     return None
 
"""

LOGIN_SOURCE = """\
import hmac


def login(user, password):
    if not user.active:
        return None
    if user.digest == digest(password):
        audit(user)
        return Session(user)
    return None

"""


@pytest.fixture(scope="session")
def login_change() -> Change:
    return parse_diff(LOGIN_DIFF)


@pytest.fixture(scope="session")
def login_source() -> dict[str, str]:
    return {"app/login.py": LOGIN_SOURCE}
