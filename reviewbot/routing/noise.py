"""Lines that are no evidence in any language: comments, imports, logging, prose."""

import re
from collections.abc import Sequence, Set

from reviewbot.routing.patterns import NOT_FOUND, any_of

_CODE = r"=(){};<>\[\]\"$\n"
_SMALL = "(?:the|an?|to|of|is|are|this|that|they|their|will|be|should|must|may|it|has|have)"
_END = r"[^;\n]*;?\s*$"
_LEVEL = r"(?i:(?:log)?(?:trace|debug|info|information|notice|warn|warning|error|err|fine|fatal|critical|exception|log|verbose|success|print)(?:f|ln|w|Context|_\w+)?)"
#: Lines that are no evidence in any language: comments, imports, packages, prose. Code that
#: follows a comment or an import on the same line keeps it evidence.
NOISE = (
    r"^\s*(?://|#(?:[\s!#-]|$)|\*(?:\s*$|\s+[^\s@]|\s+@(?:[^A-Z]|[\w\\]*(?:[^\w\\(]|$)))|--(?:[\s\-]|$)|<%#)",
    r"^\s*(?:/?\*(?:[^*\n]|\*+[^*/\n])*\*+/|\*/|/\*(?:[^*\n]|\*+[^*/\n])*\**)\s*$",
    r"^\s*(?:<!--[^>\n]*(?:-->)?|\"\"\"[^\"\n]*(?:\"\"\")?|'''[^'\n]*(?:''')?)\s*$",
    rf"^\s*(?:import\b|from\s+\S+\s+import\b|package\s+[\w.]+|namespace\s+[\w.\\]+){_END}",
    r"^\s*\x{FEFF}?@?using\s+(?:static\s+)?[\w.]+\s*;?\s*$",
    rf"^\s*(?:using\s+\w+\s*=\s*[\w.<>]+;|use\s+[\w\\:]+(?:[;,]|::|\s+as\s+\w+;)|alias\s+[A-Z]){_END}",
    rf"^\s*(?:require(?:_relative|_once)?\b|#\s*include\b|extern\s+crate\b|@import\b){_END}",
    r"^\s*autoload\s*\(?:\w+,\s*['\"][^'\"]*['\"]\)?\s*$",
    rf"^\s*(?:(?:const|let|var)\s[^=\n]*=\s*require\(|export\s[^=\n]*\sfrom\s+['\"]){_END}",
    # what is written to a log, as far as nothing is called for it and nothing follows
    rf"^\s*(?:[\w.:>$@!-]*\b_?(?i:log|logger|logging|slog|klog|glog|logrus|zap|tracing|console|statsd)(?:\(\))?(?:\.|->|::){_LEVEL}"
    rf"|[\w.]*\blog_{_LEVEL}|(?:debug|info|trace|warn|error|println|eprintln)!|error_log|fmt\.Print(?:f|ln)?|System\.(?:out|err)\.print(?:ln|f)?|Console\.WriteLine"
    r"|StatsD\.\w+|statsd\.\w+)[\s({](?:[^();\n]|\b(?:get|is|has|to)[A-Z]\w*\(\))*\)?\s*;?\s*$",
    r"^\s*if\s*\(?(?:this\.|self\.)?_?(?:log|logger|LOG|LOGGER)\.(?:is\w*Enabled|isEnabledFor|IsEnabled)\([\w.]*\)\)?\s*[{:]?\s*$",
    # what says that something is deprecated
    r"^\s*(?:[\w.:$>-]*\b(?:trigger_deprecation|deprecate(?:d|_\w+)?|_?deprecated_\w+|wc_deprecated_\w+|ActiveSupport::Deprecation[\w.:]*|warnings\.warn)[\s(][^()\n]*\)?[^()\n]*"
    r"|@[Dd]eprecated(?:\([^()]*\))?|\[Obsolete(?:\([^()]*\))?\]|#\[deprecated[^\]]*\])\s*;?\s*$",
    # what linters shall pass over, alone on its line
    r"^\s*(?:#!?\[(?:allow|warn|deny|expect)\([^()\[\]]*\)\]|@Suppress(?:Warnings)?\([^()]*\)"
    r"|\[(?:\w+:\s*)?SuppressMessage\([^()\[\]]*\)\]|#pragma\s+warning\s[\w\s,]*)\s*$",
    # the version of the project, as it is written for each release
    r"(?i)^\s*(?:(?:public|private|protected|internal|static|final|const|val|let|var|export|readonly|string|str)\s+)*"
    r"[\"'$]?_*version_*[\"']?\s*(?:=>?|:)\s*[\"']v?\d+\.\d+[\w.+\-]*[\"']\s*[;,]*\s*$",
    # prose of a docstring or block comment: no sign of code and two small words
    rf"^[^{_CODE}]*\b{_SMALL}\s[^{_CODE}]*\b{_SMALL}(?:\s[^{_CODE}]*)?$",
)

#: Statements of several lines that are no evidence: what begins an import, or writes to a log or
#: says that something is deprecated.
_IMPORT = (
    r"^\s*(?:from\s+\S+\s+import\s*\(|import\s+(?:type\s+)?(?:\w+,\s*)?\{|import\s*\("
    r"|(?:pub\s+)?use\s+[\w\\:]+\{)[^)}]*$",
)
_TELLING = (
    rf"\b_?(?:(?i:log|logger|logging|slog|klog|logrus|zap|console)(?:\(\))?(?:\.|->|::){_LEVEL}|log_{_LEVEL}"
    r"|trigger_deprecation|deprecate|warnings\.warn)!?\([^()]*$",
)
_CALL = re.compile(r"\w\s?\(")
#: Longest such statement, lines.
MOST_ROWS = 60


def is_noise(line: bytes) -> bool:
    """Whether a line is no evidence by what it says."""
    return any_of(NOISE)(line, 0, len(line))[0] != NOT_FOUND


def continued_rows(lines: Sequence[str]) -> Set[int]:
    """Which of these lines, from 0, go on with an import, or with what is only told: as long as
    nothing is called in it."""
    data = "\n".join(lines).encode("utf-8", "replace")
    rows: set[int] = set()
    for beginning, may_call in ((_IMPORT, True), (_TELLING, False)):
        look, at, row = any_of(beginning), 0, 0
        while at < len(data) and (found := look(data, at, len(data))[0]) != NOT_FOUND:
            row += data.count(b"\n", at, found[1])
            inner = _rest(lines, row)
            if may_call or not any(_CALL.search(lines[each]) for each in inner):
                rows.update(inner)
            at = found[1]
    return rows


def _rest(lines: Sequence[str], first: int) -> range:
    """The rows behind `first` up to where its brackets are closed; none where they are not."""
    depth = 0
    for row in range(first, min(len(lines), first + MOST_ROWS)):
        opened = sum(lines[row].count(sign) for sign in "([{")
        depth += opened - sum(lines[row].count(sign) for sign in ")]}")
        if depth <= 0:
            return range(first + 1, row + 1)
    return range(0)
