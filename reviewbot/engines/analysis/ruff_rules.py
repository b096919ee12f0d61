"""The rules of ruff that reviewbot runs: a hit is nearly always a true remark. No style."""

from typing import NamedTuple

from reviewbot.review.answer import Category, Severity

_C, _S, _CON = Category.CORRECTNESS, Category.SECURITY, Category.CONCURRENCY
_HIGH, _MEDIUM, _LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW


class Rule(NamedTuple):
    """One rule. High: fails or is exploitable whenever reached; medium: wrong in some runs; low: misleads."""

    code: str
    severity: Severity
    category: Category
    reason: str


RULES = (
    # Names and syntax
    Rule("F402", _MEDIUM, _C, "A loop variable hides an import; later uses get the wrong object."),
    Rule("F404", _HIGH, _C, "A late `__future__` import is a syntax error."),
    Rule("F601", _MEDIUM, _C, "A repeated dictionary key: the earlier value is lost."),
    Rule("F602", _MEDIUM, _C, "A repeated dictionary key: the earlier value is lost."),
    Rule("F621", _HIGH, _C, "Too many names around a star in an assignment: a syntax error."),
    Rule("F622", _HIGH, _C, "Two stars in one assignment: a syntax error."),
    Rule("F631", _HIGH, _C, "An assertion on a tuple is always true: it checks nothing."),
    Rule("F632", _MEDIUM, _C, "`is` with a literal compares identity, which differs between runs."),
    Rule("F633", _HIGH, _C, "`print >> x` is Python 2; here it raises TypeError."),
    Rule("F634", _HIGH, _C, "A condition that is a tuple is always true."),
    Rule("F701", _HIGH, _C, "`break` outside a loop is a syntax error."),
    Rule("F702", _HIGH, _C, "`continue` outside a loop is a syntax error."),
    Rule("F704", _HIGH, _C, "`yield` outside a function is a syntax error."),
    Rule("F706", _HIGH, _C, "`return` outside a function is a syntax error."),
    Rule("F707", _HIGH, _C, "A bare `except` before others is a syntax error."),
    Rule("F811", _MEDIUM, _C, "A second definition replaces the first, which nothing used."),
    Rule("F821", _HIGH, _C, "The name is not defined: NameError when this line runs."),
    Rule("F822", _MEDIUM, _C, "`__all__` names what is not there: a star import fails."),
    Rule("F823", _HIGH, _C, "The local variable is read before it is set: UnboundLocalError."),
    Rule("F901", _MEDIUM, _C, "`raise NotImplemented` raises TypeError, not NotImplementedError."),
    # Formatting that raises or drops values
    Rule("F501", _HIGH, _C, "The format string is invalid: ValueError when this line runs."),
    Rule("F502", _HIGH, _C, "The format needs a mapping and gets a sequence: TypeError."),
    Rule("F503", _HIGH, _C, "The format needs a sequence and gets a mapping: TypeError."),
    Rule("F504", _LOW, _C, "A named value is given and never shown."),
    Rule("F505", _HIGH, _C, "A placeholder has no value: KeyError when this line runs."),
    Rule("F506", _HIGH, _C, "Named and positional placeholders are mixed: TypeError."),
    Rule("F507", _HIGH, _C, "Placeholders and values differ in number: TypeError."),
    Rule("F508", _HIGH, _C, "`*` in a format needs a sequence of values: TypeError."),
    Rule("F509", _HIGH, _C, "The format character does not exist: ValueError."),
    Rule("F521", _HIGH, _C, "The format string is invalid: ValueError when this line runs."),
    Rule("F522", _LOW, _C, "A named value is given and never shown."),
    Rule("F523", _LOW, _C, "A value is given and never shown."),
    Rule("F524", _HIGH, _C, "A placeholder has no value: KeyError or IndexError."),
    Rule("F525", _HIGH, _C, "Numbered and automatic placeholders are mixed: ValueError."),
    Rule("PLE1205", _MEDIUM, _C, "Too many arguments for the log format: the message is lost."),
    Rule("PLE1206", _MEDIUM, _C, "Too few arguments for the log format: the message is lost."),
    Rule("PLE1300", _HIGH, _C, "The format character does not exist: ValueError."),
    Rule("PLE1307", _HIGH, _C, "The value's type does not fit the format: TypeError."),
    Rule("G101", _HIGH, _C, "A key in `extra` collides with a log record's field: KeyError."),
    Rule(
        "INT001", _MEDIUM, _C, "The f-string is filled in before gettext looks it up: untranslated."
    ),
    Rule("INT002", _MEDIUM, _C, "`.format` runs before gettext looks the text up: untranslated."),
    Rule("INT003", _MEDIUM, _C, "`%` runs before gettext looks the text up: untranslated."),
    # Code that does something else than it seems to
    Rule("B002", _MEDIUM, _C, "`++x` does nothing in Python."),
    Rule("B003", _MEDIUM, _C, "Assigning to `os.environ` does not change the environment."),
    Rule("B005", _MEDIUM, _C, "`strip` takes a set of characters, not a prefix or suffix."),
    Rule("B006", _MEDIUM, _C, "The default is made once and shared by all calls."),
    Rule("B012", _HIGH, _C, "Leaving `finally` by a jump swallows the exception."),
    Rule("B015", _MEDIUM, _C, "The comparison's result is thrown away."),
    Rule("B016", _HIGH, _C, "A literal can't be raised: TypeError."),
    Rule("B020", _MEDIUM, _C, "The loop variable overwrites what is iterated over."),
    Rule("B022", _MEDIUM, _C, "`suppress()` without arguments suppresses nothing."),
    Rule(
        "B023", _MEDIUM, _C, "The function sees the loop variable's last value, not this round's."
    ),
    Rule("B025", _MEDIUM, _C, "The exception is caught above already: this branch never runs."),
    Rule("B026", _LOW, _C, "Star arguments after a keyword are bound before it."),
    Rule("B029", _MEDIUM, _C, "`except ()` catches nothing."),
    Rule(
        "B030", _HIGH, _C, "What is caught is no exception class: TypeError on the first exception."
    ),
    Rule("B031", _MEDIUM, _C, "A group of `groupby` is empty the second time."),
    Rule("B032", _MEDIUM, _C, "A `:` where `=` was meant: nothing is assigned."),
    Rule("B035", _MEDIUM, _C, "A constant key: the dictionary ends with one entry."),
    Rule("B039", _MEDIUM, _C, "The context variable's default is shared by all contexts."),
    Rule("PLE0100", _HIGH, _C, "`__init__` is a generator: TypeError on construction."),
    Rule("PLE0101", _HIGH, _C, "`__init__` returns a value: TypeError on construction."),
    Rule("PLE0115", _HIGH, _C, "A name both global and nonlocal is a syntax error."),
    Rule("PLE0117", _HIGH, _C, "`nonlocal` without such a name outside is a syntax error."),
    Rule("PLE0118", _HIGH, _C, "A name used before its `global` is a syntax error."),
    Rule("PLE0237", _HIGH, _C, "The attribute is not in `__slots__`: AttributeError."),
    Rule("PLE0241", _HIGH, _C, "A base class given twice: TypeError when the class is made."),
    Rule("PLE0302", _HIGH, _C, "The special method has the wrong number of parameters: TypeError."),
    Rule("PLE0303", _HIGH, _C, "`__len__` must return a whole number of at least 0: TypeError."),
    Rule("PLE0305", _HIGH, _C, "`__index__` must return a whole number: TypeError."),
    Rule("PLE0307", _HIGH, _C, "`__str__` must return a string: TypeError."),
    Rule("PLE0308", _HIGH, _C, "`__bytes__` must return bytes: TypeError."),
    Rule("PLE0309", _HIGH, _C, "`__hash__` must return a whole number: TypeError."),
    Rule("PLE0604", _MEDIUM, _C, "`__all__` holds what is no string: a star import fails."),
    Rule("PLE0643", _HIGH, _C, "The index lies outside the literal: IndexError."),
    Rule("PLE0704", _HIGH, _C, "A bare `raise` outside a handler: RuntimeError."),
    Rule("PLE1132", _HIGH, _C, "An argument is given twice: TypeError."),
    Rule("PLE1142", _HIGH, _C, "`await` outside an async function is a syntax error."),
    Rule("PLE1310", _MEDIUM, _C, "`strip` takes a set of characters, not a prefix or suffix."),
    Rule("PLE1507", _HIGH, _C, "`getenv` takes a string: TypeError."),
    Rule("PLE1519", _MEDIUM, _C, "`singledispatch` on a method dispatches on `self`."),
    Rule("PLE1700", _HIGH, _C, "`yield from` in an async function is a syntax error."),
    Rule(
        "PLW0127", _MEDIUM, _C, "A variable is assigned to itself: most likely another was meant."
    ),
    Rule("PLW0128", _MEDIUM, _C, "A name twice in one assignment: the first value is lost."),
    Rule("PLW0129", _HIGH, _C, "The assertion tests a string: it never or always passes."),
    Rule("PLW0133", _HIGH, _C, "An exception is made and not raised."),
    Rule("PLW0177", _MEDIUM, _C, "Nothing equals NaN: the comparison never holds."),
    Rule("PLW0245", _HIGH, _C, "`super` without `()`: AttributeError."),
    Rule("PLW0711", _MEDIUM, _C, "`except A or B` catches A only."),
    Rule("PLW1501", _HIGH, _C, "The mode does not exist: ValueError."),
    Rule("RUF008", _MEDIUM, _C, "The default is shared by all instances."),
    Rule("RUF016", _HIGH, _C, "The index has the wrong type: TypeError."),
    Rule(
        "RUF018",
        _MEDIUM,
        _C,
        "Under `python -O` the assignment inside the assertion does not happen.",
    ),
    Rule("RUF024", _MEDIUM, _C, "All keys share one mutable value."),
    Rule(
        "RUF026", _MEDIUM, _C, "`default_factory=` becomes an entry; missing keys raise KeyError."
    ),
    Rule("RUF030", _LOW, _C, "The assertion prints and shows `None` as its message."),
    Rule("RUF032", _MEDIUM, _C, "A Decimal of a float literal carries the float's rounding error."),
    Rule("RUF033", _MEDIUM, _C, "A default in `__post_init__` is not the field's default."),
    Rule("RUF049", _MEDIUM, _C, "A dataclass enum: members are compared by value and not unique."),
    Rule("SIM222", _MEDIUM, _C, "The condition is always true."),
    Rule("SIM223", _MEDIUM, _C, "The condition is always false."),
    Rule("T100", _HIGH, _C, "A debugger stop was left in: production would hang here."),
    Rule("YTT101", _MEDIUM, _C, "`sys.version[:3]` is `3.1` on Python 3.10 and later."),
    Rule("YTT103", _MEDIUM, _C, "Versions compared as text: `3.10` sorts before `3.9`."),
    # Threads and event loops
    Rule("ASYNC210", _MEDIUM, _CON, "A blocking HTTP call stops the whole event loop."),
    Rule("ASYNC220", _MEDIUM, _CON, "Starting a process this way stops the whole event loop."),
    Rule("ASYNC221", _MEDIUM, _CON, "Running a process this way stops the whole event loop."),
    Rule("ASYNC222", _MEDIUM, _CON, "Waiting for a process this way stops the whole event loop."),
    Rule("ASYNC251", _MEDIUM, _CON, "`time.sleep` stops the whole event loop."),
    Rule("RUF006", _MEDIUM, _CON, "Nothing holds the task: it may be collected before it ends."),
    Rule("PLW1509", _MEDIUM, _CON, "`preexec_fn` can deadlock where there are threads."),
    Rule(
        "PLW2101",
        _HIGH,
        _CON,
        "A lock made in the `with` itself is nobody else's: it locks nothing.",
    ),
    # Security
    Rule("S103", _MEDIUM, _S, "The file is writable or executable by everybody."),
    Rule("S113", _LOW, _S, "Without a timeout one silent server holds the caller for ever."),
    Rule("S201", _HIGH, _S, "Flask's debugger lets whoever reaches it run code."),
    Rule("S202", _MEDIUM, _S, "An archive's members may be written outside the target folder."),
    Rule("S302", _MEDIUM, _S, "`marshal` on foreign data can crash or run code."),
    Rule("S306", _MEDIUM, _S, "`mktemp`: another process can take the name first."),
    Rule("S307", _MEDIUM, _S, "`eval` runs whatever the text says."),
    Rule(
        "S323", _HIGH, _S, "The TLS certificate is not checked: anybody in between can read along."
    ),
    Rule(
        "S501", _HIGH, _S, "The TLS certificate is not checked: anybody in between can read along."
    ),
    Rule("S502", _HIGH, _S, "The TLS version is broken."),
    Rule("S505", _HIGH, _S, "The key is too short to be safe."),
    Rule("S506", _HIGH, _S, "This YAML loader builds any object, so the file can run code."),
    Rule(
        "S507", _HIGH, _S, "Unknown SSH host keys are trusted: anybody in between can read along."
    ),
    Rule("S602", _MEDIUM, _S, "A shell runs the text: an unquoted value becomes a command."),
    Rule("S605", _MEDIUM, _S, "A shell runs the text: an unquoted value becomes a command."),
    Rule("S608", _MEDIUM, _S, "SQL put together from strings: use parameters."),
    Rule("S610", _MEDIUM, _S, "`extra()` takes raw SQL: use parameters."),
    Rule("S611", _MEDIUM, _S, "`RawSQL` takes raw SQL: use parameters."),
    Rule("S612", _HIGH, _S, "Whoever reaches the port can run code by a logging configuration."),
    Rule("S701", _HIGH, _S, "Templates without autoescape: values become HTML and scripts."),
)

#: What ruff says of a file it cannot parse.
SYNTAX = Rule("invalid-syntax", _HIGH, _C, "The file cannot be parsed: importing it fails.")
