"""A finding's identity across pushes: what it says of which code, not at which line."""

import hashlib
from dataclasses import replace

from reviewbot.review.finding import Finding


def with_fingerprint(finding: Finding) -> Finding:
    """The finding with its fingerprint: 16 hex digits of path, category and squeezed code.

    Without quoted code the title stands in for it.
    """
    code = "".join(finding.quote.split()) or " ".join(finding.title.lower().split())
    text = "\x00".join([finding.path, finding.category, finding.rule, code])
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return replace(finding, fingerprint=digest[:16])
