"""Lines that are no evidence in any language: comments, imports, logging, prose."""

import re

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
    rf"^\s*(?:using\s+\w+\s*=\s*[\w.<>]+;|(?:pub(?:\([\w\s]+\))?\s+)?use\s+[\w\\:]+(?:[;,]|::|\s+as\s+\w+;)|alias\s+[A-Z]){_END}",
    rf"^\s*(?:require_(?:relative|once)\b|require\s*\(?\s*(?:['\"]|__DIR__)|#\s*include\b|extern\s+crate\b|@import\b){_END}",
    r"^\s*autoload\s*\(?:\w+,\s*['\"][^'\"]*['\"]\)?\s*$",
    rf"^\s*(?:(?:const|let|var)\s[^=\n]*=\s*require\(|export\s[^=\n]*\sfrom\s+['\"]){_END}",
    # a path of Go in a block of imports, and what Elixir says of types and documentation
    r"^\s*(?:[a-z_.][a-z0-9]{0,15}\s+)?\"(?:github\.com|gitlab\.com|bitbucket\.org|gopkg\.in|(?:[a-z]+\.)?golang\.org|(?:sigs\.)?k8s\.io|go\.[a-z]+\.[a-z]+)/[\w./~\-]+\"\s*$",
    r"^\s*@(?:(?:spec|typep?|opaque|(?:macro)?callback)\s+\w+[?!]?(?:\((?:[^=;\n]|=>)*|\s*::(?:[^=;\n]|=>)*)|impl\s+(?:true|false|[A-Z][\w.]*)|(?:module|type)?doc(?:\s+(?:false|(?:~[sS])?\"[^();=\n]*))?)\s*$",
    # what is written to a log, as far as nothing is called for it and nothing follows
    rf"^\s*(?:[\w.:>$@!-]*\b_?(?i:log|logger|logging|slog|klog|glog|logrus|zap|tracing|console|statsd)(?:\(\))?(?:\.|->|::){_LEVEL}"
    rf"|[\w.]*\blog_{_LEVEL}|(?:debug|info|trace|warn|error|println|eprintln)!|error_log|fmt\.Print(?:f|ln)?|System\.(?:out|err)\.print(?:ln|f)?|Console\.WriteLine"
    r"|StatsD\.\w+|statsd\.\w+)[\s(](?:[^();=\n]|,\s*\w+=)*\)?\s*;?\s*$",
    r"^\s*if\s*\(?(?:this\.|self\.)?_?(?:log|logger|LOG|LOGGER)\.(?:is\w*Enabled|isEnabledFor|IsEnabled)\([\w.]*\)\)?\s*[{:]?\s*$",
    # what says that something is deprecated
    r"^\s*(?:[\w.:$>-]*\b(?:trigger_deprecation|deprecate(?:d|_\w+)?|_?deprecated_\w+|wc_deprecated_\w+|ActiveSupport::Deprecation[\w.:]*|warnings\.warn)[\s(][^();=\n]*\)?"
    r"|@[Dd]eprecated(?:\([^()]*\))?|\[Obsolete(?:\([^()]*\))?\]|#\[deprecated[^\]]*\])\s*;?\s*$",
    # what linters shall pass over, alone on its line
    r"^\s*(?:#!?\[(?:cfg_attr\([^()\[\]]*,\s*)?(?:allow|warn|deny|expect)\([^()\[\]]*\)\)?\]|@Suppress(?:Warnings)?\([^()]*\)"
    r"|\[(?:\w+:\s*)?SuppressMessage\([^()\[\]]*\)\]|#pragma\s+warning\s[\w\s,]*)\s*$",
    # the version of the project, as it is written for each release
    r"(?i)^\s*(?:(?:public|private|protected|internal|static|final|const|val|let|var|export|readonly|string|str)\s+)*"
    r"[\"'$]?_*version_*[\"']?\s*(?:=>?|:)\s*[\"']v?\d+\.\d+[\w.+\-]*[\"']\s*[;,]*\s*$",
)


#: Prose of a docstring or block comment: no sign of code and two small words.
PROSE = (rf"^[^{_CODE}]*\b{_SMALL}\s[^{_CODE}]*\b{_SMALL}(?:\s[^{_CODE}]*)?$",)
#: What begins a statement, or ends its head, is no prose: `if user is None or role is None:`.
STATEMENT = (
    r"^\s*(?:if|elif|while|unless|until|return|assert|raise|not|and|or|when|case)\b|:\s*$",
)


_NOISE, _PROSE, _STATEMENT = any_of(NOISE), any_of(PROSE), any_of(STATEMENT)
#: What no prose has, and nearly all code: less work to look for than two small words.
_CODE_SIGN = re.compile(f"[{_CODE}]".encode())


def is_noise(line: bytes) -> bool:
    """Whether a line is no evidence by what it says."""
    size = len(line)
    if _NOISE(line, 0, size)[0] != NOT_FOUND:
        behind = line.rfind(b"*/")
        return behind < 0 or not line[behind + 2 :].strip()  # code may follow a comment's end
    return (
        not _CODE_SIGN.search(line)
        and _PROSE(line, 0, size)[0] != NOT_FOUND
        and _STATEMENT(line, 0, size)[0] == NOT_FOUND
    )
