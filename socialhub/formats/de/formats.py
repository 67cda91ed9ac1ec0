"""German dates. A name is what pages and sentences ask for, in English order; its value is how German writes that.

Django looks a format up by its name before it takes the name itself for the format, so that no template has to know.
"""

DATETIME_FORMAT = "j. F Y, H:i"

WRITTEN = {
    "D H:i": "D, H:i",
    "D j": "D, j.",
    "D j F Y": "D, j. F Y",
    "D j M": "D, j. M",
    "D j M, H:i": "D, j. M, H:i",
    "D j M Y": "D, j. M Y",
    "D j M Y, H:i": "D, j. M Y, H:i",
    "j": "j",  # in the cells of a calendar
    "j F": "j. F",
    "j F Y": "j. F Y",
    "j F Y, H:i": "j. F Y, H:i",
    "j M": "j. M",
    "j M Y": "j. M Y",
    "j M Y, H:i": "j. M Y, H:i",
    "j M, H:i": "j. M, H:i",
    "j M, H:i:s": "j. M, H:i:s",
    "l, j F": "l, j. F",
    "l, j F Y": "l, j. F Y",
    "l, j F Y, H:i": "l, j. F Y, H:i",
    "H:i, j F Y": "H:i, j. F Y",
}
vars().update(WRITTEN)
